"""What the README says to type is typed, in an environment that has nothing but the package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.feedback import Feedback, give_feedback
from qa.types import Span
from tests.conftest import GOLDEN, ROOT, running
from tests.documents.test_extract import MANUAL

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
NOTE = "The report is due on 3 May. Ms Ortega wrote it, and the board will read it in June."
# They install, serve for ever, or take hours; each has a test of its own elsewhere.
NOT_HERE = ("pip install", "qa train", "qa serve", "QA_READER=")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(block: str) -> str:
    """Return a block of a console as a script: prompts are taken off, and what can only be typed elsewhere."""
    lines = [line.removeprefix("$ ") for line in block.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(NOT_HERE))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the files that the README names."""
    for name in ("notes/report.txt", "report.txt", "reports/may.md", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n\n{NOTE}")
    (tmp_path / "manuals" / "pumps").mkdir(parents=True)
    (tmp_path / "manuals" / "pumps" / "manual.pdf").write_bytes(MANUAL)
    (tmp_path / "faq.csv").write_text("question,answer\nWho oils the belt?,The keeper oils the belt once a year.\n")
    return tmp_path


def typed(script: str, place: Path, *, status: int = 0) -> str:
    binaries = Path(sys.executable).parent
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(place), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.fixture
def address(place: Path) -> Iterator[str]:
    typed(f"qa add --if-empty '{GOLDEN / 'documents'}' report.txt", place)
    with running(place / "indexes") as (url, _):
        yield url


def test_asking_a_server_and_a_program(place: Path, address: str) -> None:
    (curl,) = [block for block in blocks("console") if "curl" in block]
    answered = json.loads(typed(commands(curl).replace(ADDRESS, address), place))
    given = [*answered["answers"], answered["best_guess"]]
    assert any("Baghdad" in one["answer"] for one in given if one)
    programs = blocks("python")
    assert len(programs) >= 2
    for number, program in enumerate(programs):
        (place / f"{number}.py").write_text(program.replace(ADDRESS, address))
        assert "3 May" in typed(f"python {number}.py", place)


def test_the_commands(place: Path) -> None:
    typed("qa add notes --index other", place)
    tried = 0
    for block in blocks("console"):
        script = commands(block)
        if "curl" in script or "questions.csv" in script:
            continue
        if "qa feedback" in script:
            _say_something(place)
        out = typed(script, place)
        tried += script.count("qa ")
        if "qa ask" in script:
            assert out.count("3 May") >= 1
            assert "Ortega" in out
    assert tried >= 11
    assert (place / "labels.json").exists()


def test_measuring_on_own_documents(tmp_path: Path) -> None:
    for block in blocks("console"):
        if "questions.csv" in block:
            typed(commands(block), tmp_path)
    assert json.loads((tmp_path / "before.json").read_text())["n"] == 2
    assert "every six weeks" in (tmp_path / "report.html").read_text()


def _say_something(place: Path) -> None:
    """Give feedback on the document that the other index has, too."""
    import qa

    engine = qa.open(place / "indexes")
    for info in engine.documents.all():
        text = engine.documents.get(info.id)[0].text
        if text.startswith("notes/report.txt"):
            span = Span(text.index("3 May"), text.index("3 May") + 5)
            give_feedback(engine.documents, [Feedback("When is it due?", info.id, "right", span)], index="default")
    engine.close()
