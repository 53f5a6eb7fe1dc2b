"""The embedded index: the catalogue, the files derived from it, and search over both."""
