from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.models import inference
from qa.models.inference import Graph
from qa.models.model_folder import WEIGHTS
from qa.models.processor import Processor, detect_processor
from qa.models.tokenization import load_tokenizer
from tests.conftest import golden_documents

CPUINFO = "processor\t: 0\nmodel name\t: {name}\nflags\t\t: fpu {flags}\n\nprocessor\t: 1\nmodel name\t: other\n"


@pytest.mark.parametrize(
    ("flags", "slow"),
    [
        ("avx avx2 fma", True),
        ("avx2 avx_vnni", False),
        ("avx2 avx512f avx512_vnni amx_int8", False),
        ("avx2 avx512f", False),
        ("sse4_2", False),
    ],
)
def test_int8_is_slow_with_avx2_alone(tmp_path: Path, flags: str, slow: bool) -> None:
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(name="A Processor", flags=flags))
    processor = detect_processor(tmp_path / "cpuinfo")
    assert processor == Processor("A Processor", frozenset({"fpu", *flags.split()}))
    assert processor.int8_is_slow is slow


def test_unknown_processor_uses_int8(tmp_path: Path) -> None:
    assert detect_processor(tmp_path / "none") == Processor("unknown", frozenset())
    assert not detect_processor(tmp_path / "none").int8_is_slow


@pytest.mark.skipif("avx2" not in detect_processor().features, reason="needs a processor with AVX2")
def test_int8_and_float_arithmetic_give_similar_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = load_tokenizer(WEIGHTS / "reader" / "tokenizer.json")
    texts = [text[:800] for path in golden_documents() for text in path.read_text(encoding="utf-8").split("\n\n")[:2]]
    encodings = [tokenizer.encode("When was it?", text) for text in texts if text]
    sequences = [(np.array(e.ids), np.array(e.type_ids)) for e in encodings]
    outputs = []
    for features in (frozenset({"avx2", "avx_vnni"}), frozenset({"avx2"})):
        monkeypatch.setattr(inference, "detect_processor", lambda features=features: Processor("", features))
        outputs.append(Graph(WEIGHTS / "reader" / "model.xml", 2).run(sequences))
    # The logits of other positions mean nothing: no answer starts or ends in the question.
    pairs = [
        (a[: len(ids)][usable], b[: len(ids)][usable])
        for (ids, types), int8_outputs, float_outputs in zip(sequences, *outputs, strict=True)
        for usable in (np.r_[True, types[1:-1] == 1, False],)
        for a, b in zip(int8_outputs[:2], float_outputs[:2], strict=True)
    ]
    assert not all(np.array_equal(a, b) for a, b in pairs)
    assert np.mean([a.argmax() == b.argmax() for a, b in pairs]) >= 0.9
    assert np.mean([np.abs(a - b).mean() for a, b in pairs]) < 0.1
