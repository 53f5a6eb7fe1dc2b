"""The commands and programs of the README work, in an environment that has only the package."""

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
from tests.documents.test_pdf import MANUAL

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
NOTE = "The report is due on 3 May. Ms Ortega wrote it, and the board will read it in June."
# These install packages, serve until stopped, or take hours. Other tests cover them.
NOT_RUN = ("pip install", "qa train", "qa serve", "QA_READER=")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def script_of(block: str) -> str:
    """Return the commands of a console block as a script, without prompts and without those that are not run."""
    lines = [line.removeprefix("$ ") for line in block.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(NOT_RUN))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README names."""
    for name in ("notes/report.txt", "report.txt", "reports/may.md", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n\n{NOTE}")
    (tmp_path / "manuals" / "pumps").mkdir(parents=True)
    (tmp_path / "manuals" / "pumps" / "manual.pdf").write_bytes(MANUAL)
    (tmp_path / "faq.csv").write_text("question,answer\nWho oils the belt?,The keeper oils the belt once a year.\n")
    return tmp_path


def run(script: str, folder: Path) -> str:
    binaries = Path(sys.executable).parent
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(folder), "HF_HUB_OFFLINE": "1"}
    process = subprocess.run(
        ["/bin/bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """A server on the golden documents and the report."""
    run(f"qa add --if-empty '{GOLDEN / 'documents'}' report.txt", folder)
    with running(folder / "indexes") as (url, _):
        yield url


def test_curl_call_and_programs_find_answers(folder: Path, address: str) -> None:
    (curl,) = [block for block in blocks("console") if "curl" in block]
    response = json.loads(run(script_of(curl).replace(ADDRESS, address), folder))
    answers = [*response["answers"], response["best_guess"]]
    assert any("Baghdad" in answer["answer"] for answer in answers if answer)
    programs = blocks("python")
    assert len(programs) >= 4
    for number, program in enumerate(programs):
        (folder / f"{number}.py").write_text(program.replace(ADDRESS, address))
        # The README uses no deprecated name.
        assert "3 May" in run(f"python -W error::DeprecationWarning:__main__ {number}.py", folder)


def test_commands_run(folder: Path) -> None:
    run("qa add notes --index other", folder)
    commands = 0
    for block in blocks("console"):
        script = script_of(block)
        if "curl" in script or "questions.csv" in script:
            continue
        if "qa feedback" in script:
            _give_feedback(folder)
        output = run(script, folder)
        commands += script.count("qa ")
        if "qa ask" in script:
            assert "3 May" in output
            assert "Ortega" in output
    assert commands >= 15
    assert (folder / "labels.json").exists()


def test_evaluation_on_own_documents_writes_its_report(tmp_path: Path) -> None:
    for block in blocks("console"):
        if "questions.csv" in block:
            run(script_of(block), tmp_path)
    assert json.loads((tmp_path / "before.json").read_text())["n"] == 2
    assert "every six weeks" in (tmp_path / "report.html").read_text()


def _give_feedback(folder: Path) -> None:
    """Give feedback on the document that is also in the other index."""
    import qa

    with qa.open(folder / "indexes") as engine:
        for info in engine.documents.all():
            text = engine.documents.get(info.id)[0].text
            if text.startswith("notes/report.txt"):
                span = Span(text.index("3 May"), text.index("3 May") + 5)
                feedback = Feedback("When is it due?", info.id, "right", span)
                give_feedback(engine.documents, [feedback], index="default")
