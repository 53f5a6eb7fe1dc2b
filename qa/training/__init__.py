"""How the shipped models were made; needs the `training` extra."""
