from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import DatasetError
from qa.evaluation.dataset_loading import load_dataset


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.jsonl"])
def test_rejects_empty_and_binary_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b" \n")
    with pytest.raises(DatasetError, match=f"{name}: the file is empty"):
        load_dataset(tmp_path / name)
    (tmp_path / name).write_bytes(b"ab\xff")
    with pytest.raises(DatasetError, match=rf"{name}: not UTF-8 \(byte 2\)"):
        load_dataset(tmp_path / name)
