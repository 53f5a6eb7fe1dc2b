"""From files as people have them to answers, with the page and the section that whoever opens the file will see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.documents.files import files_in
from qa.engine import Engine
from qa.indexing.ingestion import Ingestion
from tests.documents.realistic import REAL_FILES, RealFile


@pytest.fixture(scope="module")
def archive(shipped: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """All of them in one index."""
    folder = tmp_path_factory.mktemp("files")
    for file in REAL_FILES:
        (folder / file.name).write_bytes(file.data)
    engine = shipped.in_folder(tmp_path_factory.mktemp("indexes"))
    files, wrong = files_in([str(folder)])
    done = Ingestion(engine).add(files)
    assert (wrong, done.failed, done.skipped) == ([], {}, [])
    yield engine
    engine.close()


def test_there_are_three_files_of_each_format() -> None:
    endings = [Path(file.name).suffix for file in REAL_FILES]
    tables = {".tsv": ".csv", ".ndjson": ".jsonl"}
    formats = [tables.get(ending, ending) for ending in endings]
    assert {ending: formats.count(ending) for ending in formats} == dict.fromkeys(
        (".txt", ".md", ".html", ".pdf", ".docx", ".csv", ".jsonl"), 3
    )


@pytest.mark.parametrize("file", REAL_FILES, ids=lambda file: file.name)
def test_its_answer_is_where_it_says(archive: Engine, file: RealFile) -> None:
    answer = archive.ask(file.question, min_confidence=0).answers[0]
    document, _ = archive.document(answer.document_id)
    assert file.name in str(answer.uri)
    assert file.answer in answer.text
    assert len(answer.text) <= len(file.answer) + 20
    assert document.text[answer.span.start : answer.span.end] == answer.text
    assert (answer.page, answer.section) == (file.page, file.section)
    assert bool(answer.rectangles) == file.name.endswith(".pdf")
    assert all(rectangle.page == file.page for rectangle in answer.rectangles)
