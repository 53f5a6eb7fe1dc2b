"""OpenDocument text (ODT)."""
