"""Evaluation data, results and benchmarks."""
