"""Model files: base weights, export to int8 and back to float, training history and model card."""
