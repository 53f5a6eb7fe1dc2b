"""Benchmarks; each compares systems or settings within one run and prints the spread."""
