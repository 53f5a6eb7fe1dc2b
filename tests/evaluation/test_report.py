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

HOSTILE = "Ann said </script><script>alert(1)</script> \u2028 and <!-- left."


def embedded_data(html: str) -> list[dict[str, object]]:
    (line,) = re.findall(r"^const EVALUATIONS = (.*);$", html, re.MULTILINE)
    content: list[dict[str, object]] = json.loads(line)
    return content


def test_report_contains_every_question_and_no_external_resources(shipped: Engine) -> None:
    dataset = load_squad(GOLDEN / "golden.json")
    evaluation = evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset), 9)
    html = report_html([evaluation])
    (content,) = embedded_data(html)
    assert content["metrics"] == evaluation.report["metrics"]
    questions = content["questions"]
    assert isinstance(questions, list)
    assert [q["id"] for q in questions] == [row.question.id for row in evaluation.rows]
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", html)
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html.partition("const EVALUATIONS")[0]


def test_escapes_markup_in_texts(shipped: Engine) -> None:
    dataset = Dataset("d", (HOSTILE,), (LabelledQuestion("1", HOSTILE + "?", 0, (Span(0, 3),)),))
    html = report_html([evaluate(dataset, Mode.READER, ReaderSystem(shipped, dataset))])
    assert html.count("<script>") == html.count("</script>") == 1
    assert "<!--" not in html
    (content,) = embedded_data(html)
    assert content["contexts"] == {"0": HOSTILE}
