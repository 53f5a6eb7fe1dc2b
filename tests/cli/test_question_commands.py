from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from qa import factory
from qa.cli import answer_output
from qa.engine import Engine
from qa.types import Document, Mark, Table
from tests.cli.conftest import Run, parse
from tests.wire.test_convert import ANSWERED


def test_answers_from_added_file(run: Run, tmp_path: Path) -> None:
    text = "The kettle is blue.\r\nThe cup is red.\r\n"
    (tmp_path / "kitchen.txt").write_bytes(text.encode())
    (added,) = parse(run("add", "kitchen.txt", "--json"))
    assert added["status"] == "created"
    assert parse(run("add", "kitchen.txt", "--json"))[0]["status"] == "unchanged"
    result = parse(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0))
    answer = result["answers"][0]
    assert answer["answer"] == "blue"
    assert text[answer["document_offset"]["start"] : answer["document_offset"]["end"]] == "blue"
    assert "blue" in run("ask", "What colour is the kettle?", "--min-confidence", 0).stdout
    assert [d["id"] for d in parse(run("list", "--json"))] == [added["id"]]
    assert run("verify").exit_code == 0
    assert run("remove", added["id"]).exit_code == 0
    assert parse(run("list", "--json")) == []


def test_answer_has_section(run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.md").write_text("# Kitchen\n\nThe kettle is blue.\n\n# Garden\n\nThe gate is green.\n")
    run("add", "house.md")
    question = "What colour is the gate?"
    for answered in (
        run("ask", question, "--json", "--min-confidence", 0),
        run("read", "house.md", question, "--json"),
    ):
        result = parse(answered)
        best = result["answers"][0] if result["answers"] else result["best_guess"]
        assert (best["answer"], best["section"], best["page"]) == ("green", "Garden", None)
    assert "Kitchen, Garden, characters" in run("ask", question, "--min-confidence", 0).stdout


def test_answer_from_pdf_has_page(run: Run, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "house.pdf"))
    for line in ("The kettle is blue.", "The gate is green."):
        canvas.drawString(80, 700, line)
        canvas.showPage()
    canvas.save()
    run("add", "house.pdf")
    for question, expected in (("What colour is the kettle?", ("blue", 1)), ("What colour is the gate?", ("green", 2))):
        for command in (("ask", question), ("read", "house.pdf", question)):
            best = parse(run(*command, "--json", "--min-confidence", 0))["answers"][0]
            assert (best["answer"], best["page"]) == expected


def test_reads_file_or_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The kettle is blue.")
    question = "What colour is the kettle?"
    assert parse(run("read", "a.txt", question, "--json", "--min-confidence", 0))["answers"][0]["answer"] == "blue"
    piped = run("read", "-", question, "--json", "--min-confidence", 0, input="The kettle is red.")
    assert parse(piped)["answers"][0]["answer"] == "red"
    assert not (tmp_path / "indexes").exists()


@pytest.fixture
def houses(run: Run, tmp_path: Path) -> None:
    """Add three documents with different colours and metadata."""
    for year, colour, source in ((2020, "blue", "a"), (2021, "green", "b"), (2022, "red", "c")):
        (tmp_path / f"{colour}.md").write_text(f"# Kitchen\n\nThe kettle is {colour}.")
        assert run("add", f"{colour}.md", "--meta", f"year={year}", "--meta", f"source={source}").exit_code == 0


@pytest.mark.usefixtures("houses")
@pytest.mark.parametrize(
    ("filters", "colours"),
    [
        (["year=2020"], {"blue"}),
        (["year=2020", "year=2021"], {"blue", "green"}),
        (["year=2020", "source=b"], set()),
        (["source=b", "source=c"], {"green", "red"}),
        (["source=2020"], set()),
    ],
)
def test_filter_options_select_documents(run: Run, filters: list[str], colours: set[str]) -> None:
    options = [part for filter in filters for part in ("--filter", filter)]
    result = parse(run("ask", "What colour is the kettle?", "--json", "--min-confidence", 0, "--top-k", 9, *options))
    assert {answer["document_id"].split(".")[0] for answer in result["answers"]} == colours
    searched = parse(run("search", "What colour is the kettle?", "--json", *options))
    assert {passage["document_id"].split(".")[0] for passage in searched["passages"]} == colours


def test_filter_values_that_look_like_numbers_can_be_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "id,title,text,code\n1,2024,The kettle is blue.,x7\n2,2025,The kettle is red.,12\n"
    )
    assert run("add", "rows.csv").exit_code == 0
    for filter, ids in (("document_id=1", ["1"]), ("title=2025", ["2"]), ('code="12"', ["2"]), ("code=x7", ["1"])):
        hits = parse(run("search", "What colour is the kettle?", "--json", "--filter", filter))["passages"]
        assert [hit["document_id"] for hit in hits] == ids, filter


@pytest.mark.usefixtures("houses")
def test_rejects_bad_filter(run: Run) -> None:
    for command in ("ask", "search"):
        result = run(command, "Who?", "--filter", "year")
        assert (result.exit_code, "'year' is not NAME=VALUE" in result.stderr) == (2, True)


@pytest.mark.usefixtures("houses")
def test_search_prints_passages_with_scores(run: Run) -> None:
    question = "What colour is the kettle?"
    result = parse(run("search", question, "--top-k", 2, "--json"))
    assert (result["question"], result["index"], len(result["passages"])) == (question, "default", 2)
    scores = [passage["score"] for passage in result["passages"]]
    assert scores == sorted(scores, reverse=True)
    text = run("search", question, "--top-k", 1).stdout
    assert f"score {scores[0]:.3f}" in text
    assert result["passages"][0]["text"] in text
    assert f"{result['passages'][0]['title']}, Kitchen, characters" in text
    reranked = parse(run("search", question, "--rerank", "--json"))
    assert all(passage["margin"] is not None for passage in reranked["passages"])
    assert run("search", question, "--filter", "year=1999").stdout == "No passages found.\n"


@pytest.mark.usefixtures("houses")
def test_lists_indexes_with_counts(run: Run) -> None:
    run("add", "blue.md", "--index", "books")
    assert parse(run("list", "--indexes", "--json")) == [
        {"name": "books", "documents": 1, "passages": 1},
        {"name": "default", "documents": 3, "passages": 3},
    ]
    assert run("list", "--indexes").stdout == "books  (1 document, 1 passage)\ndefault  (3 documents, 3 passages)\n"


def test_ask_prints_where_the_answer_is_and_that_it_was_recognised(run: Run, shipped: Engine, tmp_path: Path) -> None:
    engine = shipped.in_folder(tmp_path / "indexes")
    engine.indexes.get_or_create("default")
    text = "Office | Opened\nHarwick | 1987"
    table = Table(0, ((6, 6), (7, 4)), ("Office", "Opened"), 1, True, (4, 5), 2)
    engine.add([Document("offices", text, "Offices", marks=(Mark(0, 3, "Sheet 1", "ocr"),), tables=(table,))])
    question = ("ask", "When was the office in Harwick opened?", "--min-confidence", 0, "--top-k", 1)
    assert "Offices, page 3, Sheet 1, cell C5, characters 26 to 30, recognised text (OCR)\n" in run(*question).stdout
    (answer,) = parse(run(*question, "--json"))["answers"]
    assert (answer["page"], answer["section"], answer["cell"], answer["ocr"]) == (3, "Sheet 1", "C5", True)


HOUSE = "# Kitchen\n\nThe kettle is blue.\n\n# Garden\n\nThe gate is green, and the fence is white.\n"


@pytest.fixture
def run_unsure(run: Run, shipped: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `qa` with thresholds that make every question unsure."""
    (tmp_path / "house.md").write_text(HOUSE)
    run("add", "house.md")
    calibration = shipped.calibration
    query, read = (
        replace(scale, answered=1.0, unsure=0.0, evidence=replace(scale.evidence, answered=1.0))
        for scale in (calibration.query, calibration.read)
    )
    unsure = Engine(shipped.documents, shipped.reader, replace(calibration, query=query, read=read))
    monkeypatch.setattr(factory, "build_engine", lambda settings: unsure.in_folder(settings.index_dir))
    return run


@pytest.mark.parametrize(
    ("command", "place"), [(("ask",), "Kitchen, Garden, characters "), (("read", "house.md"), "Garden")]
)
def test_an_unsure_answer_is_printed_as_a_guess(run_unsure: Run, command: tuple[str, ...], place: str) -> None:
    question = "What colour is the gate?"
    done = run_unsure(*command, question)
    assert done.exit_code == 0
    guess, others = done.stdout.split("\n\nOther possible answers:\n")
    assert guess.startswith("Unsure; best guess: green  ")
    assert guess.splitlines()[-1].startswith(place)
    assert others.startswith("- ")
    result = parse(run_unsure(*command, question, "--json"))
    assert (result["status"], result["has_answer"], result["answers"]) == ("unsure", False, [])
    assert result["best_guess"]["answer"] == "green"


def test_not_found_is_printed_with_what_to_look_at_next(run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.md").write_text(HOUSE)
    run("add", "house.md")
    question = "Which president visited Vienna in 1961?"
    done = run("ask", question)
    assert done.exit_code == 0
    title, *_ = done.stdout.splitlines()
    assert title == "Not found: the documents probably do not say."
    result = parse(run("ask", question, "--json"))
    assert result["status"] == "not_found"
    for answer in [result["best_guess"], *result["alternatives"]]:
        assert f"- {answer['answer']}  {answer['confidence']:.0%} sure, " in done.stdout
    _, passages = done.stdout.split("Passages to look at:\n")
    assert "Kitchen The kettle is blue." in passages
    assert "characters 0 to " in passages
    assert len(result["passages"]) == 1
    of_text = run("read", "house.md", question).stdout
    assert of_text.startswith(f"{title}\n\nPossible answers:\n- ")
    assert "Passages" not in of_text


def test_nothing_to_search_says_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.md").write_text(HOUSE)
    run("add", "house.md")
    done = run("ask", "What colour is the gate?", "--filter", "year=1999")
    assert done.exit_code == 0
    assert done.stdout == (
        "Nothing to search: index 'default' is empty, or no document in it meets the filters.\n"
        "Add documents with `qa add`, or change --filter.\n"
    )
    assert parse(run("ask", "Which?", "--filter", "year=1999", "--json"))["status"] == "nothing_to_search"


def test_prints_a_correction_items_and_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    answer_output.answers(ANSWERED, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Searched for: How do I descale the boiler?"
    assert lines[1] == "unplug the boiler, then let it cool  75% sure"
    assert lines[2:4] == ["- unplug the boiler", "- let it cool"]
    evidence = lines[lines.index("Evidence:") + 1 :]
    assert evidence[0] == "Before you descale: unplug the boiler, then let it cool.  88% sure"
    assert evidence[1] == "boiler, page 2, Descaling, characters 0 to 56"
    answer_output.answers(ANSWERED, as_json=True)
    body = json.loads(capsys.readouterr().out)
    assert body["corrected"] == "How do I descale the boiler?"
    assert [unit["text"] for unit in body["evidence"]][1] == "unplug the boiler"
    assert body["answers"][0]["kind"] == "evidence"
