"""Read the passages that a search returned, and rank the answers in them."""
