"""The built wheel works in an environment that contains only its own dependencies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("QA_", "PYTHON", "VIRTUAL_"))}
    process = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**environment, "XDG_CACHE_HOME": str(folder / "cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("package")
    # A copy, because a build leaves files beside the sources.
    shutil.copytree(ROOT / "qa", folder / "source" / "qa", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder / "source")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", folder / "source", folder=folder)
    run(sys.executable, "-m", "venv", folder / "environment", folder=folder)
    (wheel,) = folder.glob("spanlight-*.whl")
    pip = folder / "environment" / "bin" / "pip"
    run(pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, folder=folder)
    return pip.parent


def test_the_wheel_answers_without_torch(binaries: Path, tmp_path: Path) -> None:
    (tmp_path / "pump.txt").write_text("The pump is oiled every six weeks. The belt is changed every year.")
    run(binaries / "qa", "add", "pump.txt", folder=tmp_path)
    result = json.loads(run(binaries / "qa", "ask", "How often is the pump oiled?", "--json", folder=tmp_path))
    assert result["answers"][0]["answer"] == "every six weeks"
    installed = {
        package["name"].lower()
        for package in json.loads(run(binaries / "pip", "list", "--format=json", folder=tmp_path))
    }
    assert not installed & {"torch", "transformers", "sentence-transformers", "nncf", "matplotlib"}
    assert not {name for name in installed if name.startswith("nvidia")}


def test_names_the_missing_extra_for_other_embedding_models(binaries: Path, tmp_path: Path) -> None:
    script = (
        "import qa\n"
        "try:\n"
        "    qa.open('indexes', embedder='intfloat/e5-small-v2')\n"
        "except qa.ModelError as error:\n"
        "    print(error)\n"
    )
    assert "pip install 'spanlight[models]'" in run(binaries / "python", "-c", script, folder=tmp_path)
