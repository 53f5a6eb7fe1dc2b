"""Training of the shipped models and fine-tuning of the reader; needs the `training` extra."""
