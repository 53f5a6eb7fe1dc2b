"""Enforce the architecture: imports go one way, and each library is imported in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import qa
from tests.conftest import ROOT

PACKAGE = ROOT / "qa"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Each component (a folder or module of the package) with the components it may import, besides itself.
FOUNDATION = {"deprecation", "errors", "quotations", "results", "rows", "types"}
LOWER = {*FOUNDATION, "config", "documents", "malloc", "models", "search", "text", "validation"}
MIDDLE = {*LOWER, "index", "reading"}
CORE = {*MIDDLE, "answering", "engine", "factory", "indexing", "reports", "stopwatch"}
MAY_IMPORT: dict[str, set[str]] = {
    "deprecation": set(),
    "errors": {"deprecation"},
    "types": set(),
    "quotations": {"types"},
    "results": {"deprecation", "types"},
    "rows": {"results", "types"},
    "malloc": set(),
    "stopwatch": set(),
    "reports": FOUNDATION,
    "config": FOUNDATION,
    "validation": FOUNDATION,
    "text": FOUNDATION,
    "documents": {*FOUNDATION, "text", "validation"},
    "models": FOUNDATION,
    "search": {*FOUNDATION, "text", "validation"},
    "index": LOWER,
    "reading": {*LOWER, "stopwatch"},
    "indexing": {*MIDDLE, "reports"},
    "answering": {*MIDDLE, "stopwatch"},
    "engine": {*MIDDLE, "answering", "indexing", "reports", "stopwatch"},
    "factory": {*MIDDLE, "indexing", "engine"},
    "wire": {*FOUNDATION, "reports", "validation"},
    "client": {*FOUNDATION, "documents", "reports", "wire"},
    "integrations": {*FOUNDATION, "client", "validation"},
    "evaluation": {*CORE, "client", "wire"},
    "training": {*CORE, "evaluation"},
    "feedback": {*CORE, "evaluation"},
    "service": {*CORE, "feedback", "wire"},
    "cli": {*CORE, "client", "evaluation", "feedback", "service", "training", "wire"},
    "__init__": {*FOUNDATION, "client", "engine", "factory", "reports"},
}
# The folders of qa/training, in the same way.
TRAINING = {
    "data": set[str](),
    "recipe": {"data"},
    "calibration": {"data"},
    "artifacts": {"calibration", "data", "recipe"},
    "optim": {"artifacts", "data", "recipe"},
    "fine_tuning": {"artifacts", "calibration", "data", "optim", "recipe"},
    "__init__": set[str](),
}
ONLY_IN = {
    "faiss": {"index/faiss_index.py"},
    "tantivy": {"index/lexical.py", "index/vocabulary.py"},
    "sqlite3": {
        "index/catalog.py",
        "index/schema.py",
        "index/stored_documents.py",
        "index/transactions.py",
        "service/service_db.py",
    },
    "openvino": {"models/openvino_runtime.py"},
    "sentence_transformers": {"models/sentence_transformers_embedder.py"},
    "langchain_text_splitters": {"documents/splitting.py"},
    "PIL": {
        "documents/extract/images/ocr.py",
        "documents/extract/images/rendering.py",
        "documents/extract/images/pictures.py",
    },
    "tesserocr": {"documents/extract/images/ocr.py"},
    "pypdfium2": {
        "documents/extract/pdf/file.py",
        "documents/extract/pdf/rules.py",
        "documents/extract/pdf/document.py",
        "documents/extract/pdf/annotations.py",
        "documents/extract/pdf/characters.py",
        "documents/extract/pdf/pages.py",
        "documents/extract/pdf/pictures.py",
        "documents/extract/pdf/properties.py",
    },
    "lxml": {
        "documents/extract/epub/archive.py",
        "documents/extract/html/parsing.py",
        "documents/extract/office/xml_tree.py",
    },
    "oxmsg": {"documents/extract/mail/msg.py"},
    "markdown_it": {
        "documents/extract/markdown/dispatch.py",
        "documents/extract/markdown/document.py",
        "documents/extract/markdown/rendering.py",
        "documents/extract/markdown/rules.py",
        "documents/extract/markdown/tables.py",
    },
    "charset_normalizer": {"documents/extract/encodings.py"},
    "python_calamine": {"documents/extract/tables/spreadsheets.py"},
    "olefile": {
        "documents/extract/mail/msg.py",
        "documents/extract/sniffing.py",
        "documents/extract/tables/xls_records.py",
    },
    "httpx2": {"client/__init__.py", "client/document_calls.py", "client/requests.py", "client/responses.py"},
    "matplotlib": {"training/calibration/reliability.py"},
    "rapidfuzz": {"text/nearest.py"},
    "prometheus_client": {"service/metrics.py", "service/routes/state.py"},
}
HEAVY = {"torch", "transformers", "nncf", "sklearn", "matplotlib"}
MAX_LINES = 320


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def component(path: Path, below: Path = PACKAGE) -> str:
    return path.relative_to(below).parts[0].removesuffix(".py")


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_go_one_way(path: Path) -> None:
    allowed = MAY_IMPORT[component(path)] | {component(path), "__version__"}
    imported = {name.split(".")[1] for name in imports(path) if name.startswith("qa.")}
    assert imported <= allowed, f"{path} may not import {sorted(imported - allowed)}"


def test_imports_go_one_way_within_training() -> None:
    folder = PACKAGE / "training"
    for path in sorted(folder.rglob("*.py")):
        allowed = TRAINING[component(path, folder)] | {component(path, folder)}
        imported = {name.split(".")[2] for name in imports(path) if name.startswith("qa.training.")}
        assert imported <= allowed, f"{path} may not import {sorted(imported - allowed)}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_each_library_is_imported_in_its_place(library: str) -> None:
    users = {relative(p) for p in MODULES if library in {name.split(".")[0] for name in imports(p)}}
    assert users == ONLY_IN[library]


def test_heavy_libraries_are_imported_by_optional_parts_only() -> None:
    users = {relative(p) for p in MODULES if HEAVY & {name.split(".")[0] for name in imports(p)}}
    assert {user for user in users if not user.startswith("training/")} == {"models/sentence_transformers_embedder.py"}


def test_every_component_has_a_rule() -> None:
    assert {component(path) for path in MODULES} == set(MAY_IMPORT)


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in qa.__all__ if not hasattr(qa, name)] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
