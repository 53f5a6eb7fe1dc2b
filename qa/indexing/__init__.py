"""Incoming documents: splitting, embedding, ingestion of files, and rebuilds."""
