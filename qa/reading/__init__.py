"""Hits ─► answers."""
