"""From files to passages: find and read files, extract their text, split it."""
