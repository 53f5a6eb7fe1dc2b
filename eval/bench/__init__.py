"""Timings; each compares within one run and prints the spread."""
