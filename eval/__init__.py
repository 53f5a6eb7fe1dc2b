"""What is measured, and the scripts that measure it."""
