"""How good it is: data sets, metrics, and the runner that joins them."""
