"""Text extraction: one module for each file format."""
