"""BM25 over passages with tantivy: postings derived from the catalogue, which can be rebuilt at any time.

It indexes the stems of a text, its identifiers and, at a lower weight, pairs of neighbouring stems. A second field has
the words as they are spelt, from which misspelt questions are corrected. tantivy fixes BM25's k1 and b at 1.2
and 0.75, which suit longer texts than passages. Adding every stem twice halves k1. Adding a filler term to each
text makes the lengths more similar, as a lower b would.

One process writes at a time: the caller of `LexicalIndex.apply` holds the index's file lock. The tantivy writer exists
only during that call, so an idle process never keeps tantivy's lock.
"""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import tantivy

from qa.index.durable import PRIVATE_FOLDER, sync_folder, write_durably
from qa.index.stale_files import StaleFiles, translate_errors
from qa.index.vocabulary import FIELD, PassageVocabulary, occurs, spelt_words
from qa.search.analysis import identifiers, question_terms, term_pairs

FORMAT = "6"
# Occurrences added for each stem of a text.
_REPEATS = 2
_FILLER = ["_"] * 150
_PAIR_WEIGHT = 0.4
_ASCII_WORD = re.compile(r"[^\W_]+")
# tantivy's names of segment files, which never change. Its other files are lists of segments.
_SEGMENT_FILE = re.compile(r"[0-9a-f]{32}\..+")
_WRITER_BYTES = 64_000_000
_STEM_CACHE_SIZE = 20_000
_STATE, _CHECKSUMS = "REVISION", "CHECKSUMS"


class LexicalSearcher:
    """An immutable view of the postings at one revision."""

    def __init__(self, index: tantivy.Index, stem: Callable[[str], str]) -> None:
        """Take a snapshot of the index as it was last loaded.

        Args:
            index: the tantivy index.
            stem: returns the stem of one lower-case ASCII word; "" if it is not indexed.
        """
        self._stem = stem
        self._schema = index.schema
        self._searcher = index.searcher()
        self._analyzer = _analyzer()

    def __len__(self) -> int:
        return self._searcher.num_docs

    def search(self, question: str, limit: int, allowed: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return at most `limit` pairs (passage id, BM25 score), best first; ties by passage id.

        Args:
            question: plain text; there are no operators.
            limit: the number of passages.
            allowed: the ids of the passages that may be returned; None for all.
        """
        terms = self._terms(question)
        if not terms or limit < 1 or (allowed is not None and not allowed):
            return []
        clauses = [self._term_query(term) for term in [*terms, *self._identifiers(question)]]
        clauses += [tantivy.Query.boost_query(self._term_query(pair), _PAIR_WEIGHT) for pair in term_pairs(terms)]
        return self._search(clauses, limit, allowed)

    def rank(self, terms: Sequence[str], limit: int, allowed: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return passages as `search` does, for terms as they are indexed instead of a question."""
        return self._search([self._term_query(term) for term in terms], limit, allowed) if terms else []

    def _search(
        self, clauses: Sequence[tantivy.Query], limit: int, allowed: Sequence[int] | None
    ) -> list[tuple[int, float]]:
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses])
        if allowed is not None:
            restriction = tantivy.Query.term_set_query(self._schema, "passage", list(allowed))
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, query), (tantivy.Occur.Must, tantivy.Query.boost_query(restriction, 0.0))]
            )
        with translate_errors():
            hits = self._searcher.search(query, limit, count=False).hits
            ids = self._searcher.fast_field_values("passage", [address for _, address in hits])
        scores = [(_passage_id(id), float(score or 0.0)) for id, (score, _) in zip(ids, hits, strict=True)]
        return sorted(scores, key=lambda pair: (-pair[1], pair[0]))

    def passages_with(self, terms: Sequence[str]) -> list[int]:
        """Return the ids of all passages that contain any of the terms, ascending."""
        limit = min(len(self), sum(map(self.frequency, terms)))
        if not limit:
            return []
        with translate_errors():
            query = tantivy.Query.term_set_query(self._schema, "text", list(terms))
            return self._ids(self._searcher.search(query, limit, count=False).hits)

    def frequency(self, term: str) -> int:
        """Return the number of passages that contain a term; it may include deleted ones."""
        with translate_errors():
            return int(self._searcher.doc_freq("text", term))

    def document_frequencies(self, question: str) -> dict[str, int]:
        """Return the question's terms in order, each with the number of passages that contain it, which may be 0."""
        count, terms = len(self), self._terms(question)
        with translate_errors():
            # tantivy still counts some deleted passages.
            return {
                term: min(count, self._searcher.doc_freq("text", term))
                for term in [*terms, *self._identifiers(question)]
            }

    def analyze(self, text: str) -> Iterable[str]:
        """Return the stems of a text as they are indexed; "" for a word that is not indexed."""
        if text.isascii():
            # Same result, several times as fast: most words are in the cache.
            return map(self._stem, _ASCII_WORD.findall(text.lower()))
        return self._analyzer.analyze(text)

    def vocabulary(self) -> PassageVocabulary:
        """Return the words of the passages."""
        return PassageVocabulary(self._searcher, self._schema, self._analyzer)

    def passage_ids(self) -> list[int]:
        """Return the ids of all passages, ascending."""
        with translate_errors():
            return self._ids(self._searcher.search(tantivy.Query.all_query(), max(1, len(self)), count=False).hits)

    def _ids(self, hits: Sequence[tuple[Any, tantivy.DocAddress]]) -> list[int]:
        """Return the ids of the passages that were found, ascending."""
        return sorted(map(_passage_id, self._searcher.fast_field_values("passage", [address for _, address in hits])))

    def scores(self, question: str, ids: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of passages; 0.0 for a passage that shares no term with the question."""
        scores = dict(self.search(question, len(ids), ids))
        return {id: scores.get(id, 0.0) for id in ids}

    def _terms(self, question: str) -> list[str]:
        return question_terms(question, self._analyzer.analyze)

    def _identifiers(self, question: str) -> list[str]:
        """Return the question's identifiers that occur; of others only the parts count."""
        names = dict.fromkeys(identifiers(question))
        return [name for name in names if occurs(self._searcher, self._schema, "text", name)]

    def _term_query(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "text", term, "freq")


class LexicalIndex:
    """The files of one generation's postings.

    Attributes:
        folder: the folder of the files.
        revision: the catalogue's revision that the files have reached.
        mark: the catalogue's mark of that revision; if it differs, the files belong to another catalogue.
        dead: the number of passages deleted since the files were created; tantivy may still count them.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the files, or replace them with an empty index.

        Raises:
            StaleFiles: `create` is false and the files cannot be used.
        """
        self.folder = folder
        self._analyzer = analyzer = _analyzer()
        # The cached function must not refer to `self`: the cycle would keep the files of an unused index open.
        self._stem = lru_cache(_STEM_CACHE_SIZE)(lambda word: "".join(analyzer.analyze(word)))
        if create:
            discard(folder)
            folder.mkdir(PRIVATE_FOLDER, parents=True)
        elif not (folder / "meta.json").exists():
            # tantivy would create an empty index here.
            raise StaleFiles(f"{folder}: no postings")
        with translate_errors():
            self._index = tantivy.Index(_schema(), str(folder), reuse=not create)
            # A background reload could expose a revision that no query has pinned.
            self._index.config_reader("manual")
            if create:
                self._write_state(0, "-", 0)
            self.reload()

    def reload(self) -> None:
        """Load what other processes have written since.

        Raises:
            StaleFiles: the files can no longer be used.
        """
        with translate_errors():
            fields = (self.folder / _STATE).read_text(encoding="ascii").split()
            if len(fields) != 4 or fields[0] != FORMAT:
                raise ValueError(f"REVISION contains {fields}")
            self.revision, self.mark, self.dead = int(fields[1]), fields[2], int(fields[3])
            self._index.reload()

    def searcher(self) -> LexicalSearcher:
        """Return a view that later writes do not change."""
        return LexicalSearcher(self._index, self._stem)

    def apply(self, removed: Collection[int], added: Iterable[tuple[int, str]], revision: int, mark: str) -> None:
        """Delete passages, then add passages, and advance to `revision`. Applying the same changes twice is safe.

        Args:
            removed: ids of passages.
            added: ids and texts of passages.
            revision: the catalogue's revision after these changes.
            mark: the catalogue's mark of that revision.

        Raises:
            StaleFiles: the files are damaged.
        """
        with translate_errors():
            writer = self._index.writer(_WRITER_BYTES, 1)
            for id in removed:
                writer.delete_documents_by_term("passage", id)
            for id, text in added:
                writer.delete_documents_by_term("passage", id)
                document = tantivy.Document()
                document.add_integer("passage", id)
                terms = self._analyzer.analyze(text)
                terms += [*term_pairs(terms), *identifiers(text)]
                document.add_text("text", " ".join([*terms * _REPEATS, *_FILLER]))
                document.add_text(FIELD, spelt_words(text))
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            self._write_state(revision, mark, self.dead + len(removed))
        self.reload()

    def damaged_files(self) -> list[str]:
        """Read all segment files and return the names of those whose checksum differs."""
        try:
            checksums = dict(self._checksums())
        except (OSError, ValueError):
            return [_CHECKSUMS]
        return [name for name, checksum in checksums.items() if _checksum(self.folder / name) != checksum]

    def _write_state(self, revision: int, mark: str, dead: int) -> None:
        # Segment files never change, so their earlier checksums are reused.
        earlier = dict(self._checksums()) if (self.folder / _CHECKSUMS).exists() else {}
        segments = [path for path in sorted(self.folder.iterdir()) if _SEGMENT_FILE.fullmatch(path.name)]
        lines = [f"{path.name} {earlier.get(path.name) or _checksum(path)}\n" for path in segments]
        write_durably(self.folder / _CHECKSUMS, "".join(lines).encode("ascii"))
        write_durably(self.folder / _STATE, f"{FORMAT} {revision} {mark} {dead}\n".encode("ascii"))

    def _checksums(self) -> Iterator[tuple[str, str]]:
        for line in (self.folder / _CHECKSUMS).read_text(encoding="ascii").splitlines():
            name, checksum = line.split()
            yield name, checksum


def _checksum(path: Path) -> str | None:
    """Return a file's CRC-32, None if the file is missing. It detects accidents, not tampering."""
    try:
        return f"{zlib.crc32(path.read_bytes()):08x}"
    except OSError:
        return None


def discard(folder: Path) -> None:
    """Delete an index. Its state file goes first, so an interrupted deletion leaves no usable index."""
    (folder / _STATE).unlink(missing_ok=True)
    if folder.exists():
        sync_folder(folder)
        shutil.rmtree(folder)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Signed: `delete_documents_by_term` encodes an int as signed, which matches nothing in an unsigned field.
    builder.add_integer_field("passage", stored=False, indexed=True, fast=True)
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field(FIELD, stored=False, tokenizer_name="whitespace", index_option="basic")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(80),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stopword("english"),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


def _passage_id(value: int | float | None) -> int:
    """Return the value of the fast field "passage" as the integer that was stored."""
    if not isinstance(value, int):
        raise StaleFiles(f"passage id {value!r} is not an integer")
    return value
