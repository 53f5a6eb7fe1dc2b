"""Answers from realistic files, with the page and the section that a reader of the file sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.engine import Engine
from tests.documents.realistic import REAL_FILES, RealFile

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(shipped: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with all files in one index."""
    folder = tmp_path_factory.mktemp("files")
    for file in REAL_FILES:
        (folder / file.name).write_bytes(file.data)
    engine = shipped.in_folder(tmp_path_factory.mktemp("indexes"))
    report = engine.add_files(folder)
    assert (report.errors, [file for file in report.files if file.skipped]) == ([], [])
    yield engine
    engine.close()


def test_has_three_files_of_each_format() -> None:
    suffixes = [Path(file.name).suffix for file in REAL_FILES]
    aliases = {".tsv": ".csv", ".ndjson": ".jsonl"}
    formats = [aliases.get(suffix, suffix) for suffix in suffixes]
    assert {format: formats.count(format) for format in formats} == dict.fromkeys(
        (".txt", ".md", ".html", ".pdf", ".docx", ".csv", ".jsonl"), 3
    )


@pytest.mark.parametrize("file", REAL_FILES, ids=lambda file: file.name)
def test_answers_with_the_right_span_page_and_section(archive: Engine, file: RealFile) -> None:
    answer = archive.ask(file.question, min_confidence=0).answers[0]
    document, _ = archive.documents.get(answer.document_id)
    assert file.name in str(answer.uri)
    assert file.answer in answer.text
    assert len(answer.text) <= len(file.answer) + 20
    assert document.text[answer.span.start : answer.span.end] == answer.text
    assert (answer.page, answer.section) == (file.page, file.section)
    assert bool(answer.rectangles) == file.name.endswith(".pdf")
    assert all(rectangle.page == file.page for rectangle in answer.rectangles)
