"""Files ─► passages."""
