from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.models import inference
from qa.models.inference import Graph
from qa.models.processor import Processor, processor
from qa.models.shipped import WEIGHTS
from qa.models.tokenization import load_tokenizer
from tests.conftest import golden_documents

CPUINFO = "processor\t: 0\nmodel name\t: {name}\nflags\t\t: fpu {flags}\n\nprocessor\t: 1\nmodel name\t: other\n"


@pytest.mark.parametrize(
    ("flags", "lacks"),
    [
        ("avx avx2 fma", True),
        ("avx2 avx_vnni", False),
        ("avx2 avx512f avx512_vnni amx_int8", False),
        ("avx2 avx512f", False),
        ("sse4_2", False),
    ],
)
def test_avx2_alone_lacks_int8(tmp_path: Path, flags: str, lacks: bool) -> None:
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(name="A Processor", flags=flags))
    found = processor(tmp_path / "cpuinfo")
    assert found == Processor("A Processor", frozenset({"fpu", *flags.split()}))
    assert found.lacks_int8 is lacks


def test_a_processor_that_is_not_told_is_taken_to_have_int8(tmp_path: Path) -> None:
    assert processor(tmp_path / "none") == Processor("unknown", frozenset())
    assert not processor(tmp_path / "none").lacks_int8


def test_both_arithmetics_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    texts = [text[:800] for path in golden_documents() for text in path.read_text(encoding="utf-8").split("\n\n")[:2]]
    encoded = [tokenizer.encode("When was it?", text) for text in texts if text]
    sequences = [(np.array(e.ids), np.array(e.type_ids)) for e in encoded]
    found = []
    for features in (frozenset({"avx2", "avx_vnni"}), frozenset({"avx2"})):
        monkeypatch.setattr(inference, "processor", lambda features=features: Processor("", features))
        found.append(Graph(WEIGHTS / "reader" / "model.xml", 2).run(sequences))
    pairs = [pair for one, other in zip(*found, strict=True) for pair in zip(one, other, strict=True)]
    assert not all(np.array_equal(a, b) for a, b in pairs)
    assert np.mean([a.argmax() == b.argmax() for a, b in pairs]) >= 0.9
    assert np.mean([np.abs(a - b).mean() for a, b in pairs]) < 0.1
