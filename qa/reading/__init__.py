"""Read the passages that a search found and rank the answers in them."""
