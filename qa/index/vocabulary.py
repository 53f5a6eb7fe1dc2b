"""The words of the passages as they are spelt, from which misspelt questions are corrected.

They are a second field of the postings. Every commit updates both, and neither is in memory.
"""

from __future__ import annotations

import re

import tantivy

from qa.index.stale_files import translate_errors

FIELD = "words"
"""Name of tantivy's field."""

# Words of another kind are no corrections.
_WORD = re.compile(r"(?<![^\W_])[a-z]{4,40}(?![^\W_])")


class PassageVocabulary:
    """The words of one revision: an implementation of `qa.search.spelling.Vocabulary`."""

    def __init__(self, searcher: tantivy.Searcher, schema: tantivy.Schema, analyzer: tantivy.TextAnalyzer) -> None:
        self._searcher = searcher
        self._schema = schema
        self._analyzer = analyzer

    def occurs(self, word: str) -> bool:
        """Return whether a passage contains a word in any inflection; true for words that are not indexed."""
        stems = self._analyzer.analyze(word)
        return all(occurs(self._searcher, self._schema, "text", stem) for stem in stems)

    def frequency(self, word: str) -> int:
        """Return the number of passages that contain a lower-case word of four letters or more in this spelling.

        It may include deleted passages, unless all are deleted.
        """
        if not occurs(self._searcher, self._schema, FIELD, word):
            return 0
        with translate_errors():
            return int(self._searcher.doc_freq(FIELD, word))

    def words_with_prefix(self, prefix: str, limit: int) -> list[str]:
        """Return the most frequent words with a prefix, at most `limit`; some may be of deleted passages only."""
        with translate_errors():
            return [word for word, _ in self._searcher.terms_with_prefix(FIELD, prefix, limit=limit)]

    def stem(self, word: str) -> str:
        """Return the stem of a word; "" if it is not indexed."""
        return "".join(self._analyzer.analyze(word))


def spelt_words(text: str) -> str:
    """Return the distinct words of a text, separated by spaces."""
    return " ".join(dict.fromkeys(_WORD.findall(text.lower())))


def occurs(searcher: tantivy.Searcher, schema: tantivy.Schema, field: str, term: str) -> bool:
    """Return whether a passage has a term."""
    with translate_errors():
        # The document frequency may include deleted passages.
        if not searcher.doc_freq(field, term):
            return False
        query = tantivy.Query.term_query(schema, field, term, "basic")
        return bool(searcher.search(query, 1, count=False).hits)
