from __future__ import annotations

import re

from qa.evaluation.labelled_documents import DocumentQuestion, LabelledDocument
from qa.training.data.passage_examples import (
    PassageExample,
    is_held_out_file,
    passage_groups,
    titles_above,
    weak_evidence,
)
from qa.types import Document, Mark, Passage, Span

HUT = (
    "The hut sleeps twelve guests. Bring a lamp. It is closed in May.\n\nDogs stay outside. A fine of 20 pounds is due."
)
BOAT = "The boat carries nine guests. It leaves at noon.\n\nLife jackets are under the seats."


def token_starts(text: str) -> list[int]:
    return [match.start() for match in re.finditer(r"\w+|[^\w\s]", text)]


def question(
    text: str, of: str, *answers: str, evidence: tuple[str, ...] = (), items: tuple[str, ...] = ()
) -> DocumentQuestion:
    """Return a question whose labels are the first occurrences of these words."""

    def spans(texts: tuple[str, ...]) -> tuple[Span, ...]:
        return tuple(Span(of.index(part), of.index(part) + len(part)) for part in texts)

    answerable = bool(answers or evidence)
    return DocumentQuestion(text, text, spans(answers), spans(evidence), spans(items), answerable, "text", "plain")


def groups(*questions: DocumentQuestion, negatives: float = 0.0) -> list[tuple[PassageExample, ...]]:
    documents = [
        LabelledDocument(Document("hut", HUT, "Mountain hut"), "hut.txt", "manuals", questions, (), extracted=True),
        LabelledDocument(Document("boat", BOAT, "The boat"), "boat.txt", "manuals", (), (), extracted=True),
    ]
    return passage_groups(documents, token_starts, seed=1, negatives=negatives)


def test_a_question_has_the_passage_with_its_answer() -> None:
    (group,) = groups(question("how many guests", HUT, "twelve"))
    (example,) = group
    assert example.answers is not None
    assert [answer.of(example.passage.text) for answer in example.answers] == ["twelve"]
    assert example.titles == "Mountain hut."


def test_an_answer_that_is_several_things_has_all_of_them() -> None:
    (group,) = groups(question("what to mind", HUT, items=("a lamp", "closed in May"), evidence=("Bring a lamp.",)))
    assert group[0].answers is not None
    assert [answer.of(group[0].passage.text) for answer in group[0].answers] == ["a lamp", "closed in May"]


def test_labelled_evidence_is_complete() -> None:
    (group,) = groups(question("may dogs come in", HUT, evidence=("Dogs stay outside.",)))
    marked = {unit.of(group[0].passage.text): label for unit, label in group[0].evidence}
    assert marked["Dogs stay outside."] is True
    assert sum(marked.values()) == 1
    assert group[0].answers is None


def test_a_question_may_also_have_a_passage_without_the_answer() -> None:
    (group,) = groups(question("how many guests", HUT, "twelve"), negatives=1.0)
    assert [example.answers for example in group[1:]] == [()]
    assert "nine guests" in group[1].passage.text
    assert not any(label for _, label in group[1].evidence)


def test_an_unanswerable_question_has_passages_of_its_document_only() -> None:
    (group,) = groups(question("how many guests may swim", HUT))
    assert all(example.answers == () and "hut" in example.passage.text for example in group)


def test_neighbours_of_the_unit_with_the_answer_are_left_out() -> None:
    units = [Span(0, 4), Span(5, 9), Span(10, 14), Span(15, 19)]
    assert weak_evidence(units, [Span(6, 8)]) == ((units[1], True), (units[3], False))


def test_versions_of_a_document_are_held_out_together() -> None:
    names = [f"{word}-rules" for word in ("hut", "boat", "mill", "kiln", "tram", "ferry", "loom", "barn")]
    sides = {name: {is_held_out_file(f"{name}-{suffix}", 50) for suffix in ("v1.md", "v2.txt")} for name in names}
    assert all(len(side) == 1 for side in sides.values())
    assert len(set.union(*sides.values())) == 2


def test_each_title_ends_in_a_full_stop() -> None:
    passage = Passage("hut", Span(0, 3), "Hut", marks=(Mark(0, section="Fees"),))
    assert titles_above(passage, "Rules") == "Rules. Fees."
