"""The tokens of a passage as the reader sees it: below its lead-in, with words added for its structure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from qa.text.structure import Structure, find_structure, units
from qa.types import Passage, Span, Table


class ReaderText(NamedTuple):
    """A passage to read: its text, what the reader sees before it, and its tables, whose offsets count in the text."""

    text: str
    lead_in: str = ""
    tables: Sequence[Table] = ()

    @staticmethod
    def of(passage: Passage) -> ReaderText:
        """Return a stored passage as the reader sees it."""
        return ReaderText(passage.text, passage.lead_in, _shift(passage.tables, -passage.span.start))

    def structure(self) -> Structure:
        """Return the structure of the lead-in and the text below it."""
        shift = len(self.lead_in)
        return find_structure(self.lead_in + self.text, _shift(self.tables, shift), shift)


@dataclass(frozen=True, slots=True)
class PassageTokens:
    """The tokens of a passage, of its lead-in, and those added for its structure.

    Attributes:
        ids: token ids, shape (length,).
        offsets: code point ranges in the passage, shape (length, 2); -1 for a token that is not of the passage.
        segments: number of the paragraph, item, line or cell that a token is in, shape (length,); -1 for a token that
            is not of the passage. No answer is in two segments.
        units: the units of evidence of the passage, in order; offsets count in the passage.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    segments: NDArray[np.int64]
    units: tuple[Span, ...]


def tokenize_passages(passages: Sequence[ReaderText], tokenizer: Tokenizer) -> list[PassageTokens]:
    """Return the tokens of passages.

    Args:
        passages: the passages; the same object is tokenised once.
        tokenizer: the reader's tokenizer.
    """
    # Equal texts may have other tables, but each object has one structure.
    by_identity = {id(passage): passage for passage in passages}
    distinct = list(by_identity.values())
    structures = [passage.structure() for passage in distinct]
    words = list(dict.fromkeys(word for structure in structures for _, word in structure.added))
    added = {
        word: encoding.ids
        for word, encoding in zip(words, tokenizer.encode_batch_fast(words, add_special_tokens=False), strict=True)
    }
    encodings = tokenizer.encode_batch([p.lead_in + p.text for p in distinct], add_special_tokens=False)
    tokens = {
        id(passage): _merge(encoding, structure, added, passage)
        for passage, encoding, structure in zip(distinct, encodings, structures, strict=True)
    }
    return [tokens[id(passage)] for passage in passages]


def _shift(tables: Sequence[Table], by: int) -> tuple[Table, ...]:
    return tuple(replace(table, start=table.start + by) for table in tables)


def units_of(passage: ReaderText, structure: Structure) -> tuple[Span, ...]:
    """Return the units of evidence of a passage, in order; offsets count in the passage.

    Args:
        passage: the passage.
        structure: its structure, as `passage.structure()` returns it.
    """
    shift = len(passage.lead_in)
    return tuple(
        Span(max(0, unit.start - shift), unit.end - shift)
        for unit in units(passage.lead_in + passage.text, structure)
        if unit.end > shift
    )


def _merge(
    encoding: Encoding, structure: Structure, added: Mapping[str, Sequence[int]], passage: ReaderText
) -> PassageTokens:
    """Return the tokens of a text with the added ones between them."""
    lead_in = len(passage.lead_in)
    merged_ids: list[int] = []
    merged_offsets: list[tuple[int, int]] = []
    segments: list[int] = []
    pending = iter(structure.added)
    following = next(pending, None)
    outside = (-1, -1)
    for id, (start, end) in _visible(encoding.ids, encoding.offsets, structure):
        while following and following[0] <= start:
            word = added[following[1]]
            merged_ids += word
            merged_offsets += [outside] * len(word)
            segments += [-1] * len(word)
            following = next(pending, None)
        merged_ids.append(id)
        is_inside = start >= lead_in
        merged_offsets.append((start - lead_in, end - lead_in) if is_inside else outside)
        segments.append(bisect_right(structure.edges, start) if is_inside else -1)
    return PassageTokens(
        np.array(merged_ids, np.int64),
        np.array(merged_offsets, np.int64).reshape(-1, 2),
        np.array(segments, np.int64),
        units_of(passage, structure),
    )


def _visible(
    ids: Sequence[int], offsets: Sequence[tuple[int, int]], structure: Structure
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the tokens that are not of a rule."""
    rules = structure.rules
    number = 0
    for id, (start, end) in zip(ids, offsets, strict=True):
        while number < len(rules) and rules[number].end <= start:
            number += 1
        if number == len(rules) or start < rules[number].start:
            yield id, (start, end)
