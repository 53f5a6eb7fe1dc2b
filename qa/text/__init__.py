"""Pure functions on text: boundaries, sentences, headings and word boxes."""
