"""PDF: pages, lines, tables and pictures."""
