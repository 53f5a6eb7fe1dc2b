"""Evaluation: labelled data sets, metrics, the systems to evaluate, and the runner that joins them."""
