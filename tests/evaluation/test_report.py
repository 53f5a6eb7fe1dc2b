from __future__ import annotations

import json
import re

from qa.engine import Engine
from qa.evaluation.datasets import Dataset, LabelledQuestion
from qa.evaluation.local_systems import ReaderSystem
from qa.evaluation.report import report_html
from qa.evaluation.runner import evaluate
from qa.evaluation.squad import load_squad
from qa.evaluation.systems import Mode
from qa.types import Span
from tests.conftest import GOLDEN

NASTY = "Ann said </script><script>alert(1)</script> \u2028 and <!-- left."


def embedded(html: str) -> list[dict[str, object]]:
    (line,) = re.findall(r"^const EVALUATIONS = (.*);$", html, re.MULTILINE)
    content: list[dict[str, object]] = json.loads(line)
    return content


def test_a_report_holds_every_question_and_needs_nothing_from_elsewhere(shipped: Engine) -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    evaluation = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset), 9)
    html = report_html([evaluation])
    (content,) = embedded(html)
    assert content["metrics"] == evaluation.report["metrics"]
    questions = content["questions"]
    assert isinstance(questions, list)
    assert [q["id"] for q in questions] == [row.question.id for row in evaluation.rows]
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", html)
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html.partition("const EVALUATIONS")[0]


def test_texts_cannot_break_out_of_the_page(shipped: Engine) -> None:
    dataset = Dataset("d", (NASTY,), (LabelledQuestion("1", NASTY + "?", 0, (Span(0, 3),)),))
    html = report_html([evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset))])
    assert html.count("<script>") == html.count("</script>") == 1
    assert "<!--" not in html
    (content,) = embedded(html)
    assert content["contexts"] == {"0": NASTY}
