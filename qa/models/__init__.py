"""Load the neural networks and run them; no other package does."""
