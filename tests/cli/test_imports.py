"""Each command imports only what it needs. Every case runs in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qa.config import Settings
from qa.engine import Engine
from qa.types import Document
from tests.conftest import serving

INDEXES = {"faiss", "tantivy"}
MODELS = {"openvino", "tokenizers", "torch", "transformers", "sentence_transformers"}
SERVER = {"fastapi", "starlette", "uvicorn"}
TEXT = {"langchain_text_splitters", "langchain_core", "lxml", "pypdfium2", "docx"}
EVERYTHING = INDEXES | MODELS | SERVER | TEXT
_SCRIPT = """
import sys
from qa.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    status = stop.code or 0
print("", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    """A folder with one document in the default index, a label for it, and an export."""
    engine.add([Document("kitchen", "The kettle is blue.")])
    qas = [{"id": "k", "question": "What colour is it?", "answers": [{"text": "blue", "answer_start": 14}]}]
    labels = {"data": [{"title": "k", "paragraphs": [{"context": "The kettle is blue.", "qas": qas}]}]}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    engine.indexes.get("default").catalog.export(tmp_path / "exported")
    return tmp_path


def imported(folder: Path, *arguments: str) -> set[str]:
    """Run a command, and return the top-level packages that its process imported."""
    environment = {**os.environ, "QA_INDEX_DIR": str(folder / "indexes")}
    command = [sys.executable, "-c", _SCRIPT, *arguments]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return set(process.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "excluded"),
    [
        (["--help"], {*EVERYTHING, "pydantic", "numpy", "rich", "httpx2"}),
        (["--version"], {*EVERYTHING, "pydantic", "numpy", "rich", "httpx2"}),
        (["add", "--help"], {*EVERYTHING, "numpy", "rich", "httpx2"}),
        (["key", "list"], {*EVERYTHING, "numpy"}),
        (["list"], {*EVERYTHING, "numpy", "rich"}),
        (["list", "--indexes", "--json"], {*EVERYTHING, "numpy", "rich"}),
        (["remove", "kitchen"], {*EVERYTHING, "numpy", "rich"}),
        (["export", "file"], {*EVERYTHING, "numpy"}),
        (["import", "exported", "--index", "copy"], {*EVERYTHING, "numpy"}),
        (["feedback", "export", "out.json"], MODELS | SERVER | TEXT),
        (["feedback", "import", "labels.json"], MODELS | SERVER | TEXT),
        (["verify"], MODELS | SERVER | TEXT),
        (["purge"], MODELS | SERVER | TEXT),
        (["ask", "What colour is the kettle?"], {*SERVER, *TEXT, "torch", "httpx2"}),
        (["search", "kettle"], {*SERVER, *TEXT, "torch", "httpx2"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_does_not_import(folder: Path, arguments: list[str], excluded: set[str]) -> None:
    assert imported(folder, *arguments) & excluded == set()


def test_client_commands_import_no_engine(engine: Engine, folder: Path) -> None:
    with serving(engine, Settings(index_dir=folder / "indexes")) as url:
        for command in (["ask", "What colour is the kettle?"], ["search", "kettle"], ["ask", "Who?", "--json"]):
            assert imported(folder, *command, "--url", url) & EVERYTHING == set()


def test_index_of_another_model_can_be_listed_and_exported(folder: Path) -> None:
    environment = {**os.environ, "QA_INDEX_DIR": str(folder / "indexes"), "QA_EMBEDDER": "another-model"}
    for arguments in (["list"], ["verify"], ["export", "file"], ["remove", "kitchen"]):
        command = [str(Path(sys.executable).with_name("qa")), *arguments]
        subprocess.run(command, cwd=folder, env=environment, check=True)
