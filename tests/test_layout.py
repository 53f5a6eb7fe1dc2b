"""The layout is the architecture: imports go one way, and each library is met in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "qa"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Each room, with the rooms it may look into. A room may always look into itself.
FOUNDATION = {"types", "errors"}
LOWER = {*FOUNDATION, "memory", "config", "limits", "documents", "models"}
MIDDLE = {*LOWER, "index", "reading"}
UPPER = {*MIDDLE, "library", "engine", "assembly"}
MAY_SEE: dict[str, set[str]] = {
    "types": set(),
    "errors": set(),
    "memory": set(),
    "config": FOUNDATION,
    "limits": FOUNDATION,
    "documents": {*FOUNDATION, "limits"},
    "models": FOUNDATION,
    "index": LOWER,
    "reading": LOWER,
    "library": MIDDLE,
    "engine": {*MIDDLE, "library"},
    "assembly": {*MIDDLE, "library", "engine"},
    "intake": {*MIDDLE, "library", "engine"},
    "wire": {"errors", "limits"},
    "client": {"wire", "errors"},
    "integrations": {"client", "wire"},
    "evaluation": {*UPPER, "client", "wire"},
    "training": {*UPPER, "evaluation"},
    "feedback": {*UPPER, "evaluation"},
    "service": {*UPPER, "wire", "feedback"},
    "diagnosis": {*UPPER, "evaluation"},
    "presentation": {*UPPER, "intake", "service", "evaluation", "diagnosis", "wire"},
    "cli": {
        *UPPER,
        "wire",
        "intake",
        "feedback",
        "client",
        "presentation",
        "diagnosis",
        "evaluation",
        "training",
        "service",
    },
    "__init__": {"assembly"},
}
ONLY_IN = {
    "faiss": {"index/faiss_index.py"},
    "tantivy": {"index/lexical.py"},
    "sqlite3": {"index/catalog.py", "index/schema.py", "index/transactions.py", "service/service_db.py"},
    "openvino": {"models/openvino_runtime.py"},
    "sentence_transformers": {"models/sentence_transformers_embedder.py"},
    "langchain_text_splitters": {"documents/splitting.py"},
    "pypdfium2": {"documents/extract/pdf.py"},
    "docx": {"documents/extract/docx.py"},
    "lxml": {"documents/extract/html.py"},
    "markdown_it": {"documents/extract/markdown.py"},
    "charset_normalizer": {"documents/extract/plain_text.py"},
    "httpx2": {"client/__init__.py", "client/calls.py"},
    "prometheus_client": {"service/metrics.py", "service/routes/state.py"},
}
HEAVY = {"torch", "transformers", "nncf", "sklearn"}
LONGEST = 320


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    allowed = MAY_SEE[room(path)] | {room(path)}
    seen = {name.split(".")[1] for name in imported(path) if name.startswith("qa.")} - {"__version__"}
    assert seen <= allowed, f"{path} may not see {sorted(seen - allowed)}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_met_in_its_own_place(library: str) -> None:
    users = {str(p.relative_to(PACKAGE)) for p in MODULES if library in {n.split(".")[0] for n in imported(p)}}
    assert users == ONLY_IN[library]


def test_heavy_libraries_only_where_the_user_asked_for_them() -> None:
    users = {str(p.relative_to(PACKAGE)) for p in MODULES if HEAVY & {n.split(".")[0] for n in imported(p)}}
    assert {user for user in users if not user.startswith("training/")} == {"models/sentence_transformers_embedder.py"}


def test_every_room_is_known() -> None:
    assert {room(path) for path in MODULES} == set(MAY_SEE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
