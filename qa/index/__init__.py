"""Passages ─► hits: the catalogue, what is derived from it, and search."""
