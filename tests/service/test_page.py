"""The web page in a real browser, with a real server."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from reportlab.pdfgen.canvas import Canvas

from qa.config import Settings
from qa.engine import Engine
from qa.types import Document, Mark, Unread
from tests.conftest import labels_in, serving
from tests.service.test_file_downloads import CLEANING, MANUAL, marked_area

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

MILL = (
    "🌾 The mill stands at the river.\r\n\r\n"
    "It grinds on Mondays. Old Ms. Ortega has run it since 2011, says <b>the board</b>."
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def library(engine: Engine) -> Engine:
    engine.add([Document("mill", MILL, "The <i>mill</i>", meta={"kind": "place", "year": 2024})])
    engine.add([Document("cat", "\ufeffThe cat sleeps on the blue chair.", meta={"kind": "animal"})])
    return engine


@pytest.fixture
def url(library: Engine) -> Iterator[str]:
    with serving(library, Settings(index_dir=library.indexes.folder)) as url:
        yield url


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["light and wide", "dark on a phone"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page, errors, requests = context.new_page(), [], []
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url)
    expect(page.locator("#documents li")).to_have_count(2)
    yield page
    assert errors == []
    assert {address for address in requests if not address.startswith((url, "blob:"))} == set()
    # The page does not scroll horizontally.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).first.fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#state")).not_to_have_text("Reading …")


def unit_of(text: str, words: str, document_id: str = "mill") -> dict[str, object]:
    start = text.index(words)
    return {"document_id": document_id, "start": start, "end": start + len(words), "text": words, "score": 0.87,
            "page": None, "section": "Hours", "rectangles": [], "url": None}  # fmt: skip


def mark_evidence(page: Page, *units: dict[str, object]) -> None:
    """Replace the evidence of every result by these units."""
    page.route("**/v1/query", lambda route: route.fulfill(json={**route.fetch().json(), "evidence": list(units)}))


def labels(page: Page, tmp_path: Path) -> dict[str, tuple[list[str], bool]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SQuAD JSON").click()
    assert download.value.suggested_filename == "default-labels.json"
    saved = tmp_path / "labels.json"
    download.value.save_as(saved)
    return labels_in(json.loads(saved.read_text()))


def test_highlights_an_answer_in_its_document(page: Page, tmp_path: Path) -> None:
    ask(page, "Who has run the mill since 2011?")
    first = page.locator("article").first
    expect(first.locator("h3")).to_contain_text("Ortega")
    expect(first.locator("h3 small")).to_contain_text("% sure")
    expect(first).to_contain_text("The <i>mill</i>")
    first.get_by_role("button", name="Show in the document").click()
    mark = page.locator("#text mark:not(.evidence)")
    expect(mark).to_contain_text("Ortega")
    expect(mark).to_be_in_viewport()
    # Text of a document is not parsed as HTML.
    expect(page.locator("#text")).to_contain_text("<b>the board</b>")
    assert page.locator("#text b, #document-title i").count() == 0
    first.get_by_role("button", name="Right").click()
    expect(first.get_by_role("status")).to_have_text("Thank you.")
    expect(first.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#document")).to_be_hidden()
    ((answers, impossible),) = labels(page, tmp_path).values()
    assert ("Ortega" in answers[0], impossible) == (True, False)


def test_folds_the_guess_away_where_the_documents_do_not_answer(page: Page) -> None:
    ask(page, "What does a ticket to the opera in Vienna cost?")
    expect(page.locator("#state")).to_have_text("Not found: the documents probably do not say.")
    expect(page.locator("details article").first).to_be_hidden()
    page.get_by_text("Show the best guess").click()
    expect(page.locator("details article").first).to_be_visible()
    expect(page.get_by_role("heading", name="Passages to look at")).to_be_visible()
    passages = page.locator("#answers > article.quotation")
    expect(passages).to_have_count(2)
    passages.filter(has_text="It grinds on Mondays").get_by_role("button", name="Show in the document").click()
    expect(page.locator("#text mark:not(.evidence)")).to_contain_text("It grinds on Mondays")


def test_shows_an_unsure_guess_marked_as_a_guess(browser: Browser, library: Engine) -> None:
    # The thresholds make every question unsure.
    query = library.calibration.query
    scale = replace(query, answered=1.0, unsure=0.0, evidence=replace(query.evidence, answered=1.0))
    unsure = Engine(library.documents, library.reader, replace(library.calibration, query=scale))
    with serving(unsure, Settings(index_dir=library.indexes.folder)) as url:
        page = browser.new_page()
        page.goto(url)
        ask(page, "Who has run the mill since 2011?")
        expect(page.locator("#state")).to_have_text("Unsure: the best guess may be wrong.")
        guess = page.locator("article.guess")
        expect(guess).to_be_visible()
        expect(guess.locator("h3")).to_contain_text("Ortega")
        expect(guess.locator("h3 small")).to_contain_text("guess, ")
        expect(
            page.locator("details").filter(has_text="Other possible answers").locator("article").first
        ).to_be_hidden()
        passage = page.locator("details").filter(has_text="Passages to look at").locator("article.quotation").first
        expect(passage).to_be_hidden()
        page.get_by_text("Passages to look at").click()
        expect(passage).to_be_visible()
        page.close()


def test_shows_the_correction_evidence_and_items_of_a_result(page: Page) -> None:
    unit = unit_of(MILL, "It grinds on Mondays.")
    start, end = unit["start"], unit["end"]

    def add_evidence(route: Route) -> None:
        body = route.fetch().json()
        item = {"start": start, "end": end, "text": "<b>It</b>"}
        for answer in body["answers"] or [body["best_guess"]]:
            answer["items"] = [item]
        route.fulfill(json={**body, "corrected": "When does it <b>grind</b>?", "evidence": [unit]})

    page.route("**/v1/query", add_evidence)
    ask(page, "When does the mill grind, on Mondays?")
    expect(page.locator("#answers")).to_contain_text("Searched for: When does it <b>grind</b>?")
    expect(page.locator("#answers article li").first).to_have_text("<b>It</b>")
    evidence = page.locator("article.quotation").filter(has_text="87 % sure")
    expect(evidence).to_contain_text("It grinds on Mondays.")
    expect(evidence).to_contain_text(f"mill, Hours, 87 % sure, characters {start} to {end}")
    evidence.get_by_role("button", name="Show in the document").click()
    expect(page.locator("#text mark:not(.evidence)")).to_have_text("It grinds on Mondays.")
    page.keyboard.press("Escape")
    # From the answer, both are highlighted, in two shades.
    page.get_by_role("button", name="Show in the document").first.click()
    expect(page.locator("#text mark:not(.evidence)")).to_have_count(1)
    expect(page.locator("#text mark.evidence").first).to_contain_text("It grinds")


def test_steps_through_the_highlights_of_a_document(page: Page) -> None:
    # The answer is in the second unit in the document's order.
    mark_evidence(page, unit_of(MILL, "It grinds on Mondays."), unit_of(MILL, MILL[MILL.index("Old Ms") :]))
    ask(page, "Who has run the mill since 2011?")
    page.get_by_role("button", name="Show in the document").first.click()
    count, text = page.locator("#mark-count"), page.locator("#text")
    expect(count).to_contain_text("2 of 2: Old Ms. Ortega has run it since 2011")
    expect(text.locator("mark.current:not(.evidence)")).to_contain_text("Ortega")
    page.get_by_role("button", name="Next").click()
    expect(count).to_have_text("1 of 2: It grinds on Mondays.")
    expect(text.locator("mark.current")).to_have_text("It grinds on Mondays.")
    expect(text.locator("mark.current")).to_be_in_viewport()
    page.get_by_role("button", name="Previous").click()
    expect(count).to_contain_text("2 of 2")
    # The keys work where the text has the focus, and not in a field.
    text.focus()
    page.keyboard.press("n")
    expect(count).to_contain_text("1 of 2")
    page.keyboard.press("p")
    expect(count).to_contain_text("2 of 2")
    page.locator("#labelled").fill("")
    page.keyboard.type("np")
    expect(page.locator("#labelled")).to_have_value("np")
    expect(count).to_contain_text("2 of 2")
    expect(page.get_by_role("group", name="Highlights")).to_be_visible()
    page.keyboard.press("Escape")
    # One highlight needs no buttons.
    page.locator("#documents .name").last.click()
    expect(page.locator("#text mark")).to_have_count(0)
    expect(page.locator("#marks")).to_be_hidden()


def test_says_that_there_is_nothing_to_search(page: Page) -> None:
    page.get_by_label("Only documents with").fill("kind=plant")
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("#state")).to_have_text(
        "Nothing to search: the index is empty, or no document meets the filters."
    )
    assert page.locator("#answers > *").count() == 0


def test_adds_a_large_file_by_a_job(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.service.routes.documents.MAX_SYNCHRONOUS_BYTES", 10)
    (tmp_path / "pot.txt").write_text("The pot is green, and holds two litres.")
    page.locator("#files").set_input_files(tmp_path / "pot.txt")
    expect(page.locator("#uploaded")).to_have_text("pot.txt: created", timeout=30_000)
    expect(page.locator("#documents li")).to_have_count(3)


def test_filters_documents(page: Page) -> None:
    page.get_by_label("Only documents with").fill("kind=animal")
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("#answers")).not_to_contain_text("Ortega")
    page.get_by_label("Only documents with").fill("year=2024, kind=place")
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("article").first).to_contain_text("Ortega")
    page.get_by_label("Only documents with").fill("animal")
    ask(page, "Who?")
    expect(page.locator("#state")).to_have_text("“animal” is not a filter; write name=value.")


def select(page: Page, words: str) -> None:
    """Select words in the open document."""
    page.evaluate(
        """words => {
            const walker = document.createTreeWalker(document.getElementById("text"), NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf(words);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(walker.currentNode, at);
                range.setEnd(walker.currentNode, at + words.length);
                getSelection().removeAllRanges();
                getSelection().addRange(range);
                return;
            }
            throw new Error("not found");
        }""",
        words,
    )


def test_labels_questions_by_selecting_text(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="The <i>mill</i>", exact=True).click()
    question = page.locator("#labelled")
    question.fill("When does it grind?")
    page.get_by_role("button", name="The selected text is the answer").click()
    expect(page.locator("#label-state")).to_have_text("Select the answer in the text first.")
    # A space and half a word; the selection is trimmed and extended to whole words.
    select(page, " Monda")
    page.get_by_role("button", name="The selected text is the answer").click()
    expect(page.locator("#label-state")).to_have_text("Saved: “Mondays”.")
    question.fill("Who built it?")
    page.get_by_role("button", name="The document has no answer").click()
    expect(page.locator("#label-state")).to_have_text("Saved: the document has no answer.")
    page.get_by_role("button", name="Close the document").click()
    page.get_by_role("button", name="cat", exact=True).click()
    question.fill("Where does it sleep?")
    select(page, "blue chair")
    page.get_by_role("button", name="The selected text is the answer").click()
    expect(page.locator("#label-state")).to_have_text("Saved: “blue chair”.")
    page.keyboard.press("Escape")
    assert labels(page, tmp_path) == {
        "When does it grind?": (["Mondays"], False),
        "Who built it?": ([], True),
        "Where does it sleep?": (["blue chair"], False),
    }


def test_adds_and_deletes_files(page: Page, tmp_path: Path) -> None:
    good, bad = tmp_path / "kettle.md", tmp_path / "broken.pdf"
    good.write_text("# Kettle\n\nIt is blue.")
    bad.write_bytes(b"%PDF-1.4 nothing")
    page.locator("#files").set_input_files([good, bad])
    expect(page.locator("#uploaded")).to_contain_text("kettle.md: created")
    expect(page.locator("#uploaded")).to_contain_text("broken.pdf")
    expect(page.locator("#documents li")).to_have_count(3)
    ask(page, "What colour is the kettle?")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete cat").click()
    expect(page.locator("#documents li")).to_have_count(3)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete cat").click()
    expect(page.locator("#documents li")).to_have_count(2)
    expect(page.locator("#documents")).not_to_contain_text("cat")


def test_adds_dropped_files(page: Page) -> None:
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["The pan is red."], "pan.txt", { type: "text/plain" }));
            const drop = document.getElementById("drop");
            drop.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
            drop.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator("#uploaded")).to_have_text("pan.txt: created")


def test_works_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.type("Who has run the mill since 2011?")
    page.keyboard.press("Enter")
    expect(page.locator("article").first).to_be_visible()
    show = page.get_by_role("button", name="Show in the document").first
    for _ in range(12):
        page.keyboard.press("Tab")
        if show.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_be_focused()


def test_switches_to_another_index(page: Page, library: Engine) -> None:
    library.indexes.get_or_create("second")
    library.add([Document("boat", "The boat is green.")], index="second")
    page.reload()
    page.get_by_label("Index").select_option("second")
    expect(page.locator("#documents li")).to_have_count(1)
    ask(page, "What colour is the boat?")
    expect(page.locator("article").first).to_contain_text("green")


def test_prompts_for_a_key(browser: Browser, library: Engine) -> None:
    with serving(library, Settings(index_dir=library.indexes.folder, api_keys=("secret",))) as url:
        page = browser.new_page()
        page.once("dialog", lambda dialog: dialog.accept("secret"))
        page.goto(url)
        expect(page.locator("#documents li")).to_have_count(2)
        ask(page, "Who has run the mill since 2011?")
        expect(page.locator("article").first).to_contain_text("Ortega")
        page.close()


@pytest.fixture
def locked_page(browser: Browser, library: Engine) -> Iterator[Page]:
    """The page of a server that needs a key, and recognises no text in pictures."""
    settings = Settings(index_dir=library.indexes.folder, api_keys=("secret",), ocr="off")
    with serving(library, settings) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.once("dialog", lambda dialog: dialog.accept("secret"))
        page.goto(url)
        expect(page.locator("#documents li")).to_have_count(2)
        yield page
        page.close()


def test_shows_an_answer_on_the_picture_of_its_page(locked_page: Page, tmp_path: Path) -> None:
    page = locked_page
    (tmp_path / "manual.pdf").write_bytes(MANUAL)
    page.locator("#files").set_input_files(tmp_path / "manual.pdf")
    expect(page.locator("#not-read li")).to_contain_text("manual.pdf: page 3 not read: ")
    ask(page, "How often is the oil filter cleaned?")
    first = page.locator("article").first
    expect(first.locator("h3")).to_contain_text("six weeks")
    first.get_by_role("button", name="Show on page 2").click()
    picture = page.get_by_role("img", name="Page 2 of manual.pdf, with the answer highlighted")
    expect(picture).to_be_visible()
    expect(page.locator("#sheet")).to_be_focused()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
    assert marked_area(picture.screenshot())[1] is not None
    page.get_by_role("button", name="Previous page").click()
    expect(page.get_by_role("img", name="Page 1 of manual.pdf")).to_be_visible()
    assert marked_area(page.locator("#picture").screenshot())[1] is None
    page.get_by_label("Page", exact=True).fill("9")
    page.keyboard.press("Enter")
    expect(page.locator("#document-state")).to_have_text("page 9 is not one of the 3 pages of manual.pdf")
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("#text mark:not(.evidence)")).to_contain_text("six weeks")
    expect(page.locator("#picture")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Original file (manual.pdf, ").click()
    download.value.save_as(tmp_path / "saved.pdf")
    assert download.value.suggested_filename == "manual.pdf"
    assert (tmp_path / "saved.pdf").read_bytes() == MANUAL


def test_shows_what_was_not_read_and_what_was_recognised(page: Page, library: Engine) -> None:
    unread = (
        Unread(4, "a <b>scan</b>"),
        Unread(7, "a <b>scan</b>"),
        Unread(8, "a <b>scan</b>"),
        Unread(None, "a chart"),
    )
    marks = (Mark(0, 1, "Boats", "ocr"),)
    library.add([Document("boat", "The boat is green.", marks=marks, unread=unread)])
    page.reload()
    expect(page.locator("#documents li").filter(has_text="boat")).to_contain_text("4 parts not read")
    ask(page, "What colour is the boat?")
    first = page.locator("article").first
    expect(first.locator(".badge")).to_have_text("recognised text (OCR)")
    # Without a file there is no picture of the page.
    expect(first.get_by_role("button", name="Show on page")).to_have_count(0)
    first.get_by_role("button", name="Show in the document").click()
    expect(page.get_by_role("button", name="Page", exact=True)).to_be_hidden()
    page.get_by_text("4 parts of the file not read").click()
    expect(page.locator("#gaps li")).to_have_text(
        ["pages 4, 7, 8 not read: a <b>scan</b>", "not read: a chart"], use_inner_text=True
    )
    expect(page.get_by_role("button", name="Original file")).to_be_hidden()
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("article .badge")).to_have_count(0)


def test_scrolls_to_the_highlight(locked_page: Page, tmp_path: Path) -> None:
    file = io.BytesIO()
    # Far taller than the window, with the answer at its end.
    canvas = Canvas(file, (400, 1_600))
    canvas.drawString(50, 1_500, "The pump is green.")
    canvas.drawString(50, 60, CLEANING)
    canvas.save()
    (tmp_path / "tall.pdf").write_bytes(file.getvalue())
    locked_page.locator("#files").set_input_files(tmp_path / "tall.pdf")
    expect(locked_page.locator("#uploaded")).to_have_text("tall.pdf: created")
    ask(locked_page, "How often is the oil filter cleaned?")
    locked_page.get_by_role("button", name="Show on page 1").first.click()
    expect(locked_page.locator("#sheet")).to_be_focused()
    position, end = locked_page.locator("#sheet").evaluate(
        "sheet => [sheet.scrollTop, sheet.scrollHeight - sheet.clientHeight]"
    )
    assert position > 0.9 * end > 500


def test_finds_documents_by_title(page: Page) -> None:
    page.get_by_label("Find a document").fill("CAT")
    expect(page.locator("#documents li")).to_have_count(1)
    expect(page.locator("#documents")).to_contain_text("cat")
    page.get_by_label("Find a document").fill("")
    expect(page.locator("#documents li")).to_have_count(2)


def test_takes_the_screenshot_of_the_readme(browser: Browser, golden: Engine, tmp_path: Path) -> None:
    picture = Path(os.environ.get("QA_PICTURE", tmp_path / "page.png"))
    with serving(golden, Settings(index_dir=golden.indexes.folder)) as url:
        context = browser.new_context(viewport={"width": 1200, "height": 760})
        page = context.new_page()
        page.goto(url)
        ask(page, "When was the first photograph of a black hole presented?")
        page.get_by_role("button", name="Show in the document").first.click()
        expect(page.locator("#text mark:not(.evidence)")).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=picture)
        context.close()
    assert picture.read_bytes().startswith(b"\x89PNG")
