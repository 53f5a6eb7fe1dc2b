"""BM25 over passages with tantivy: a derived index that can be made again from the catalogue at any time.

Counted are the stems of a text and, for less, pairs of them that stand side by side. tantivy has BM25's k1 and b fixed
at 1.2 and 0.75, which suit longer texts than passages: that every stem is counted twice halves k1, and a filler that no
question has, added to each text, makes lengths more alike, as a lower b would.

One writer at a time, across processes: whoever calls `LexicalIndex.apply` holds the index's file lock. The writer
lives only for that call, so tantivy's own lock is never left behind by a process that idles.
"""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import tantivy

from qa.errors import Unavailable
from qa.index.durable import sync_folder, write_durably

FORMAT = "5"
_TIMES = 2
_FILLER = ["_"] * 150
_PAIR_WEIGHT = 0.4
_K1 = 1.2
# They say what kind of answer is wanted, are rare in texts, and would weigh. As names (May, the Who) they count.
_QUESTION_WORDS = (
    *("what", "which", "who", "whom", "whose", "when", "where", "why", "how"),
    *("do", "does", "did", "done", "has", "have", "had", "was", "were", "been", "being", "am"),
    *("can", "could", "will", "would", "shall", "should", "may", "might", "must"),
)
_WORD = re.compile(r"\w+")
_ASCII_WORD = re.compile(r"[^\W_]+")
_SENTENCE_BEGINS = re.compile(r"(^|[.?!:])[\s\"'“‘(]*$")
# As tantivy names them; its other files are lists of these, which change.
_SEGMENT = re.compile(r"[0-9a-f]{32}\..+")
_WRITER_BYTES = 64_000_000
_WORDS_KEPT = 20_000
_NOT_DAMAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE)
_STATE, _CHECKSUMS = "REVISION", "CHECKSUMS"


def ceiling(weights: Mapping[str, float]) -> float:
    """Return the BM25 that a passage would have which is full of a question's words."""
    return (1 + _K1) * sum(weights.values())


class StaleFiles(Unavailable):
    """The files are missing, damaged, or of another format: make them again."""


class LexicalSearcher:
    """An unchanging view of the index at one revision."""

    def __init__(self, index: tantivy.Index, stem: Callable[[str], str]) -> None:
        """Look at the index as it is.

        Args:
            index: as it was last loaded.
            stem: of one word of ASCII, in lower case; "" if it is not counted.
        """
        self._stem = stem
        self._schema = index.schema
        self._searcher = index.searcher()
        self._analyzer = _analyzer()

    def __len__(self) -> int:
        return self._searcher.num_docs

    def search(self, query: str, limit: int, allowed: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return at most `limit` pairs (passage id, BM25), best first; ties by passage id.

        Args:
            query: plain text; it has no operators.
            limit: how many.
            allowed: only these passages may be returned.
        """
        terms = self._terms(query)
        if not terms or limit < 1 or (allowed is not None and not allowed):
            return []
        parts = [self._counted(term) for term in terms]
        parts += [tantivy.Query.boost_query(self._counted(pair), _PAIR_WEIGHT) for pair in _pairs(terms)]
        wanted = tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts])
        if allowed is not None:
            among = tantivy.Query.term_set_query(self._schema, "passage", list(allowed))
            wanted = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, wanted), (tantivy.Occur.Must, tantivy.Query.boost_query(among, 0.0))]
            )
        with _damage_reported():
            hits = self._searcher.search(wanted, limit, count=False).hits
            ids = self._searcher.fast_field_values("passage", [address for _, address in hits])
        scored = [(_whole(passage), float(score or 0.0)) for passage, (score, _) in zip(ids, hits, strict=True)]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))

    def weights(self, query: str) -> dict[str, float]:
        """Return the query's stems, and how much each tells (inverse document frequency); they need not be in any."""
        count = len(self)
        with _damage_reported():
            found = {term: min(count, self._searcher.doc_freq("text", term)) for term in self._terms(query)}
        return {term: math.log(1 + (count - n + 0.5) / (n + 0.5)) for term, n in found.items()}

    def stems(self, text: str) -> Iterable[str]:
        """Return the stems of a text as they are counted; "" stands for words that are not."""
        if text.isascii():
            # The same, several times as fast: most words were seen before.
            return map(self._stem, _ASCII_WORD.findall(text.lower()))
        return self._analyzer.analyze(text)

    def _terms(self, query: str) -> list[str]:
        """Return the query's stems, without question words unless it has nothing else."""
        asked = self._analyzer.analyze(_without_question_words(query)) or self._analyzer.analyze(query)
        return list(dict.fromkeys(asked))

    def _counted(self, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "text", term, "freq")

    def passages(self) -> list[int]:
        """Return the numbers of all passages, ascending."""
        with _damage_reported():
            hits = self._searcher.search(tantivy.Query.all_query(), max(1, len(self)), count=False).hits
            numbers = self._searcher.fast_field_values("passage", [address for _, address in hits])
        return sorted(map(_whole, numbers))

    def scores(self, query: str, passages: Sequence[int]) -> dict[int, float]:
        """Return the BM25 of the given passages; 0.0 for one that shares no term with the query."""
        found = dict(self.search(query, len(passages), passages))
        return {passage: found.get(passage, 0.0) for passage in passages}


class LexicalIndex:
    """The files of one generation's postings, and the revision they have reached.

    Attributes:
        folder: where they are.
        revision: the catalogue's revision that the files hold.
        mark: what the catalogue called that revision; another one means another catalogue.
        dead: passages deleted since the files were made; tantivy's statistics may still count them.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the files, or make an empty index in their place.

        Raises:
            StaleFiles: `create` is false and the files cannot be used.
        """
        self.folder = folder
        self._analyzer = analyzer = _analyzer()
        # Without a way back to the index, which would keep its files open when nobody uses it any more.
        self._stem = lru_cache(_WORDS_KEPT)(lambda word: "".join(analyzer.analyze(word)))
        if create:
            discard(folder)
            folder.mkdir(parents=True)
        elif not (folder / "meta.json").exists():
            # tantivy would make an empty index of it.
            raise StaleFiles(f"{folder}: no postings")
        with _damage_reported():
            self._index = tantivy.Index(_schema(), str(folder), reuse=not create)
            # Whoever holds the lock reloads by hand: a background reload could show a revision nobody pinned.
            self._index.config_reader("manual")
            if create:
                self._write_state(0, "-", 0)
            self.reload()

    def reload(self) -> None:
        """See what another process has written since.

        Raises:
            StaleFiles: the files cannot be used any more.
        """
        with _damage_reported():
            fields = (self.folder / _STATE).read_text(encoding="ascii").split()
            if len(fields) != 4 or fields[0] != FORMAT:
                raise ValueError(f"REVISION holds {fields}")
            self.revision, self.mark, self.dead = int(fields[1]), fields[2], int(fields[3])
            self._index.reload()

    def searcher(self) -> LexicalSearcher:
        """Return a view that later writes do not change."""
        return LexicalSearcher(self._index, self._stem)

    def apply(self, removed: Collection[int], added: Iterable[tuple[int, str]], revision: int, mark: str) -> None:
        """Delete passages, then add some, and move to `revision`. Doing it twice is doing it once.

        Args:
            removed: numbers of passages.
            added: numbers and texts of passages.
            revision: the catalogue's, once this is done.
            mark: what the catalogue calls it.

        Raises:
            StaleFiles: the files are damaged.
        """
        with _damage_reported():
            writer = self._index.writer(_WRITER_BYTES, 1)
            for passage in removed:
                writer.delete_documents_by_term("passage", passage)
            for passage, text in added:
                writer.delete_documents_by_term("passage", passage)
                document = tantivy.Document()
                document.add_integer("passage", passage)
                terms = self._analyzer.analyze(text)
                document.add_text("text", " ".join([*(terms + _pairs(terms)) * _TIMES, *_FILLER]))
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            self._write_state(revision, mark, self.dead + len(removed))
        self.reload()

    def damaged(self) -> list[str]:
        """Return the names of files that are not as they were written: it takes reading them all."""
        try:
            written = dict(self._checksums())
        except (OSError, ValueError):
            return [_CHECKSUMS]
        return [name for name, checksum in written.items() if _checksum(self.folder / name) != checksum]

    def _write_state(self, revision: int, mark: str, dead: int) -> None:
        # Files of a segment never change: those that were there are known.
        known = dict(self._checksums()) if (self.folder / _CHECKSUMS).exists() else {}
        segments = [path for path in sorted(self.folder.iterdir()) if _SEGMENT.fullmatch(path.name)]
        checksums = [f"{path.name} {known.get(path.name) or _checksum(path)}\n" for path in segments]
        write_durably(self.folder / _CHECKSUMS, "".join(checksums).encode("ascii"))
        write_durably(self.folder / _STATE, f"{FORMAT} {revision} {mark} {dead}\n".encode("ascii"))

    def _checksums(self) -> Iterator[tuple[str, str]]:
        for line in (self.folder / _CHECKSUMS).read_text(encoding="ascii").splitlines():
            name, checksum = line.split()
            yield name, checksum


@contextmanager
def _damage_reported() -> Iterator[None]:
    """Turn what tantivy says of damaged files into one error.

    Raises:
        StaleFiles: it says something, or it panics, which no class of errors stands for.
        Unavailable: it is not the files' fault that they cannot be written.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        # tantivy's own errors have no number.
        if any(os.strerror(number) in str(error) for number in _NOT_DAMAGE):
            raise Unavailable(f"postings cannot be written: {error}", field="index") from error
        raise StaleFiles(f"postings cannot be used: {error}") from error
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise StaleFiles(f"postings cannot be used: {error}") from error


def _checksum(path: Path) -> str | None:
    """Return a checksum of a file, None if it is not there: against accidents, not against malice."""
    try:
        return f"{zlib.crc32(path.read_bytes()):08x}"
    except OSError:
        return None


def discard(folder: Path) -> None:
    """Remove an index; should this be broken off, what is left cannot be taken for one."""
    (folder / _STATE).unlink(missing_ok=True)
    if folder.exists():
        sync_folder(folder)
        shutil.rmtree(folder)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Signed: deletion by term encodes an int as a signed value, and finds nothing in an unsigned field.
    builder.add_integer_field("passage", stored=False, indexed=True, fast=True)
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _without_question_words(query: str) -> str:
    behind = _WORD.findall(query)[1:]
    # Where most words begin large, that tells nothing.
    tells = 2 * sum(word.islower() for word in behind) >= len(behind)

    def kept(match: re.Match[str]) -> str:
        is_name = tells and match[0][0].isupper() and not _SENTENCE_BEGINS.search(query[: match.start()])
        return match[0] if is_name or match[0].casefold() not in _QUESTION_WORDS else ""

    return _WORD.sub(kept, query)


def _pairs(terms: Sequence[str]) -> list[str]:
    return [f"{one}_{other}" for one, other in pairwise(terms)]


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


def _whole(number: int | float | None) -> int:
    """Return a fast field's value as what it was put in as."""
    if not isinstance(number, int):
        raise StaleFiles(f"passage number {number!r}")
    return number
