"""The only place that loads a network."""
