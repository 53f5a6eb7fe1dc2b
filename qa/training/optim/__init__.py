"""Optimisation: training loops of the reader and the embedder, their losses, checkpoints and weight averaging."""
