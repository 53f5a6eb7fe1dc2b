"""Pictures: text recognition, and pictures of pages."""
