"""Compare this system with its peers: same texts, same models, same threads, in turn."""
