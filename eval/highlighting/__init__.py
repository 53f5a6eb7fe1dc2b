"""Highlighting and lists of answers, scored on public sets."""
