"""One module for each format: bytes ─► text."""
