"""Retrieval: filters, query terms, score fusion and hybrid search over a snapshot (pure)."""
