from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from qa.engine import Engine
from qa.errors import InvalidInput, ModelError, NotFound, QAError, TooLarge
from qa.reading.highlight_texts import cost_in_questions
from qa.reading.reader import Pair
from qa.reading.spans import PassageLogits
from qa.types import Document, Mark, Table

QUESTION = "When does the library open?"
TEXT = "Hours\n\nThe library opens at nine. The cat sleeps."


def test_there_is_one_result_for_each_text_in_order(marking: Engine) -> None:
    texts = [("b", "The cat sleeps."), ("a", TEXT), ("b", "A library.")]
    results = marking.highlight(QUESTION, texts)
    assert [(result.id, result.status) for result in results] == [("b", "not_found"), ("a", "found"), ("b", "found")]
    assert [part.text for part in results[1].highlights] == ["The library opens at nine."]


def test_a_text_alone_has_the_result_that_it_has_among_others(marking: Engine) -> None:
    together = marking.highlight(QUESTION, [("a", TEXT), ("b", "The cat sleeps. " * 30)], prune=True)
    assert together[0] == marking.highlight(QUESTION, [("a", TEXT)], prune=True)[0]


def test_a_long_text_is_read_to_its_end(marking: Engine) -> None:
    text = f"{'The cat sleeps. ' * 500}The library opens at nine."
    (result,) = marking.highlight(QUESTION, [("long", text)], prune=True)
    assert [part.span.of(text) for part in result.highlights] == ["The library opens at nine."]
    assert result.pruned_text == "The library opens at nine."
    assert result.kept == len("The library opens at nine.") / len(text)


def test_a_document_is_read_in_all_its_passages(marking: Engine) -> None:
    text = "\n\n".join(["The library opens at nine.", "The cat sleeps. " * 200, "The library closes at six."])
    marking.add([Document("long", text, "Hours")])
    assert marking.documents.info("long").passages > 3
    (result,) = marking.highlight(QUESTION, document_ids=["long"])
    found = [part.span.of(text) for part in result.highlights]
    assert found == ["The library opens at nine.", "The library closes at six."]
    assert marking.highlight(QUESTION, [Document("long", text, "Hours")]) == [result]


def test_a_row_of_a_table_is_highlighted_and_kept_with_its_header(marking: Engine) -> None:
    text = "Fares\n\nRoute | Single\nOban - Coll | 9.00\nOban - Tiree | 11.50"
    table = Table(text.index("Route"), ((5, 6), (11, 4), (12, 5)), ("Route", "Single"), 1, labelled=True)
    marking.add([Document("fares", text, marks=(Mark(0, 1, "Fares"),), tables=(table,))])
    (result,) = marking.highlight("What does Tiree cost?", document_ids=["fares"], prune=True)
    assert [part.text for part in result.highlights] == ["Oban - Tiree | 11.50"]
    assert result.pruned_text == "Fares\n\nRoute | Single\nOban - Tiree | 11.50"


def test_the_shipped_reader_highlights_the_span_that_answers(shipped: Engine) -> None:
    text = "The town library opens at 9:30. Ms Ortega has run the library since 2011. The cat sleeps."
    (result,) = shipped.highlight("Who runs the library?", [("a", text)], granularity="span", threshold=0.0, prune=True)
    best = result.highlights[0]
    assert "Ortega" in best.text
    assert (best.span.of(text), best.kind) == (best.text, "answer")
    assert "Ms Ortega has run the library since 2011." in (result.pruned_text or "")


def test_the_shipped_reader_marks_the_sentence_that_answers(shipped: Engine) -> None:
    text = "The cat sleeps all day. Ms Ortega runs the library. It rained on the hills."
    try:
        (result,) = shipped.highlight("Who runs the library?", [("a", text)], threshold=0.0)
    except ModelError:
        pytest.skip("the shipped reader does not mark evidence")
    assert result.highlights[0].text == "Ms Ortega runs the library."
    assert {part.span.of(text) for part in result.highlights} == {part.text for part in result.highlights}


def test_the_shipped_reader_scores_every_sentence_of_a_long_text(shipped: Engine) -> None:
    sentences = [f"Room {number} has a green door and opens at nine o'clock on weekdays." for number in range(60)]
    (result,) = shipped.highlight(
        "Which room?", [("a", " ".join(sentences))], threshold=0.0, max_highlights=len(sentences)
    )
    assert [part.text for part in sorted(result.highlights, key=lambda part: part.span)] == sentences


def call(**arguments: Any) -> Callable[[Engine], object]:
    return lambda engine: engine.highlight(**{"question": QUESTION, **arguments})


@pytest.mark.parametrize(
    ("highlight", "error", "field"),
    [
        (call(question=" ", texts=[("a", TEXT)]), InvalidInput, "question"),
        (call(), InvalidInput, "texts"),
        (call(texts=[("a", "x")] * 65), InvalidInput, "texts"),
        (call(texts=[("a", TEXT), ("b", " \n")]), InvalidInput, "texts.1.text"),
        (call(texts=[("a\0", TEXT)]), InvalidInput, "texts.0.id"),
        (call(texts=[("a", "x" * 200_001)]), TooLarge, "texts.0.text"),
        (call(texts=[("a", "x" * 150_000), ("b", "x" * 50_001)]), TooLarge, "texts"),
        (call(texts=[("a", TEXT)], document_ids=["a"]), InvalidInput, "document_ids"),
        (call(document_ids=["a"] * 65), InvalidInput, "document_ids"),
        (call(document_ids=["nowhere"]), NotFound, "document_ids.0"),
        (call(document_ids=["a\0"]), InvalidInput, "document_ids.0"),
        (call(document_ids=["a"], index="nowhere"), NotFound, "index"),
        (call(texts=[("a", TEXT)], granularity="word"), InvalidInput, "granularity"),
        (call(texts=[("a", TEXT)], threshold=1.5), InvalidInput, "threshold"),
        (call(texts=[("a", TEXT)], max_highlights=0), InvalidInput, "max_highlights"),
        (call(texts=[("a", TEXT)], max_highlights=101), InvalidInput, "max_highlights"),
    ],
)
def test_invalid_arguments_name_their_field(
    marking: Engine, highlight: Callable[[Engine], object], error: type[QAError], field: str
) -> None:
    with pytest.raises(error) as raised:
        highlight(marking)
    assert (type(raised.value), raised.value.field) == (error, field)


def test_documents_are_not_loaded_beyond_the_limit(marking: Engine) -> None:
    marking.add([Document("long", "The cat sleeps. " * 12_000)])
    with pytest.raises(TooLarge, match=r"document_ids have 384,000 characters in all; at most 200,000") as raised:
        marking.highlight(QUESTION, document_ids=["long", "long", "nowhere"])
    assert raised.value.field == "document_ids"


def test_a_failure_of_the_reader_is_raised(marking: Engine) -> None:
    class BrokenReader:
        identity = "broken"

        def read_batch(self, pairs: Sequence[Pair]) -> list[PassageLogits]:
            raise RuntimeError(f"{len(pairs)} pairs")

    broken = Engine(marking.documents, BrokenReader(), marking.calibration)
    with pytest.raises(RuntimeError, match="1 pairs"):
        broken.highlight(QUESTION, [("a", TEXT)])


def test_a_call_costs_as_much_as_the_questions_that_take_as_long() -> None:
    assert cost_in_questions([100], 0) == 1
    assert cost_in_questions([100] * 64, 0) == 12
    assert cost_in_questions([200_000], 0) == 50
    assert cost_in_questions([], 7) == 7
