from __future__ import annotations

from pathlib import Path

import pytest

from qa.config import Settings
from qa.engine import Engine
from qa.types import Document
from tests.cli.conftest import Run, parse
from tests.conftest import serving

HOUSE = "# Kitchen\n\nThe kettle is “blue”. The cup is red.\n"


@pytest.fixture
def run_on_house(run: Run, tmp_path: Path) -> Run:
    """Run `qa` with one document in the default index."""
    (tmp_path / "house.md").write_text(HOUSE)
    assert run("add", "house.md").exit_code == 0
    return run


def test_prints_where_a_quotation_is(run_on_house: Run) -> None:
    done = run_on_house("verify-quote", "the kettle is 'BLUE'")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == ["Found in 1 place.", "", "The kettle is “blue”"]
    assert ", Kitchen, characters 9 to 29" in done.stdout


def test_prints_the_nearest_text_and_how_it_differs(run_on_house: Run) -> None:
    done = run_on_house("verify-quote", "The cup is green.")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == ["Not found. The nearest text:", "", "The cup is red."]
    assert "% similar, " in done.stdout
    assert "- quoted 'green.', the document has 'red.'" in done.stdout
    assert run_on_house("verify-quote", "zebras gallop").stdout.startswith("Not found: no document shares a word")


def test_prints_json(run_on_house: Run) -> None:
    result = parse(run_on_house("verify-quote", "the cup is red", "--json"))
    assert result["found"]
    (match,) = result["matches"]
    assert (match["text"], match["exact"], match["section"]) == ("The cup is red", True, "Kitchen")
    id = match["document_id"]
    assert parse(run_on_house("verify-quote", "the cup is red", "--document-id", id, "--json")) == result
    assert parse(run_on_house("verify-quote", "the cup is red", "--filter", "title=x", "--json"))["matches"] == []


def test_asks_a_server(run: Run, engine: Engine) -> None:
    engine.add([Document("house", HOUSE)])
    with serving(engine, Settings(index_dir=engine.indexes.folder)) as url:
        done = run("verify-quote", "the cup is red", "--url", url)
    assert done.stdout.startswith("Found in 1 place.")


def test_exit_status_says_whether_the_call_failed_or_was_wrong(run_on_house: Run) -> None:
    short = run_on_house("verify-quote", "ab")
    assert (short.exit_code, short.stderr.startswith("error: quotes.0.text has 2 characters")) == (1, True)
    unknown = run_on_house("verify-quote", "the cup", "--document-id", "nowhere")
    assert (unknown.exit_code, "'nowhere' not found" in unknown.stderr) == (1, True)
    assert run_on_house("verify-quote").exit_code == 2
