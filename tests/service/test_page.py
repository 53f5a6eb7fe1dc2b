"""The page, driven in a real browser against a real server."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from qa.config import Settings
from qa.engine import Engine
from qa.types import Document
from tests.conftest import labels_in, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

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
    page, wrong, asked = context.new_page(), [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(url)
    expect(page.locator("#documents li")).to_have_count(2)
    yield page
    assert wrong == []
    assert {address for address in asked if not address.startswith((url, "blob:"))} == set()
    # Nothing sticks out sideways.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).first.fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#state")).not_to_have_text("Reading …")


def labels(page: Page, tmp_path: Path) -> dict[str, tuple[list[str], bool]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SQuAD JSON").click()
    assert download.value.suggested_filename == "default-labels.json"
    saved = tmp_path / "labels.json"
    download.value.save_as(saved)
    return labels_in(json.loads(saved.read_text()))


def test_an_answer_is_lit_up_where_it_stands(page: Page, tmp_path: Path) -> None:
    ask(page, "Who has run the mill since 2011?")
    first = page.locator("article").first
    expect(first.locator("h3")).to_contain_text("Ortega")
    expect(first.locator("h3 small")).to_contain_text("% sure")
    expect(first).to_contain_text("The <i>mill</i>")
    first.get_by_role("button", name="Show in the document").click()
    mark = page.locator("#text mark")
    expect(mark).to_contain_text("Ortega")
    expect(mark).to_be_in_viewport()
    # What a document says is text, whatever it looks like.
    expect(page.locator("#text")).to_contain_text("<b>the board</b>")
    assert page.locator("#text b, #document-title i").count() == 0
    first.get_by_role("button", name="Right").click()
    expect(first.get_by_role("status")).to_have_text("Thank you.")
    expect(first.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#document")).to_be_hidden()
    ((answers, impossible),) = labels(page, tmp_path).values()
    assert ("Ortega" in answers[0], impossible) == (True, False)


def test_what_the_documents_do_not_say(page: Page) -> None:
    ask(page, "What does a ticket to the opera in Vienna cost?")
    expect(page.locator("#state")).to_have_text("The documents do not say.")
    expect(page.locator("article").first).to_be_hidden()
    page.get_by_text("Show the best guess").click()
    expect(page.locator("article").first).to_be_visible()


def test_a_large_file_is_taken_in_by_a_job(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.service.routes.documents.MAX_WAITED_FOR", 10)
    (tmp_path / "pot.txt").write_text("The pot is green, and holds two litres.")
    page.locator("#files").set_input_files(tmp_path / "pot.txt")
    expect(page.locator("#uploaded")).to_have_text("pot.txt: created", timeout=30_000)
    expect(page.locator("#documents li")).to_have_count(3)


def test_filters(page: Page) -> None:
    page.get_by_label("Only documents with").fill("kind=animal")
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("#answers")).not_to_contain_text("Ortega")
    page.get_by_label("Only documents with").fill("year=2024, kind=place")
    ask(page, "Who has run the mill since 2011?")
    expect(page.locator("article").first).to_contain_text("Ortega")
    page.get_by_label("Only documents with").fill("animal")
    ask(page, "Who?")
    expect(page.locator("#state")).to_have_text("“animal” is not name=value.")


def select(page: Page, words: str) -> None:
    """Select words in the shown text, as a mouse would."""
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
            throw new Error("not there");
        }""",
        words,
    )


def test_a_golden_set_is_made_by_selecting(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="The <i>mill</i>", exact=True).click()
    question = page.locator("#labelled")
    question.fill("When does it grind?")
    page.get_by_role("button", name="The selected words answer it").click()
    expect(page.locator("#label-state")).to_have_text("Select the words in the text first.")
    # Half a word, and the white space before it.
    select(page, " Monda")
    page.get_by_role("button", name="The selected words answer it").click()
    expect(page.locator("#label-state")).to_have_text("Kept: “Mondays”.")
    question.fill("Who built it?")
    page.get_by_role("button", name="The document does not say").click()
    expect(page.locator("#label-state")).to_have_text("Kept: the document does not say.")
    page.get_by_role("button", name="Close the document").click()
    page.get_by_role("button", name="cat", exact=True).click()
    question.fill("Where does it sleep?")
    select(page, "blue chair")
    page.get_by_role("button", name="The selected words answer it").click()
    expect(page.locator("#label-state")).to_have_text("Kept: “blue chair”.")
    page.keyboard.press("Escape")
    assert labels(page, tmp_path) == {
        "When does it grind?": (["Mondays"], False),
        "Who built it?": ([], True),
        "Where does it sleep?": (["blue chair"], False),
    }


def test_files_come_and_go(page: Page, tmp_path: Path) -> None:
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


def test_files_are_dropped(page: Page) -> None:
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


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.type("Who has run the mill since 2011?")
    page.keyboard.press("Enter")
    expect(page.locator("article").first).to_be_visible()
    show = page.get_by_role("button", name="Show in the document").first
    for _ in range(12):
        page.keyboard.press("Tab")
        if show.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_be_focused()


def test_another_index(page: Page, library: Engine) -> None:
    library.indexes.get_or_create("second")
    library.add([Document("boat", "The boat is green.")], index="second")
    page.reload()
    page.get_by_label("Index").select_option("second")
    expect(page.locator("#documents li")).to_have_count(1)
    ask(page, "What colour is the boat?")
    expect(page.locator("article").first).to_contain_text("green")


def test_a_key_is_asked_for(browser: Browser, library: Engine) -> None:
    with serving(library, Settings(index_dir=library.indexes.folder, api_keys=("secret",))) as url:
        page = browser.new_page()
        page.once("dialog", lambda dialog: dialog.accept("secret"))
        page.goto(url)
        expect(page.locator("#documents li")).to_have_count(2)
        ask(page, "Who has run the mill since 2011?")
        expect(page.locator("article").first).to_contain_text("Ortega")
        page.close()


def test_the_picture_in_the_readme(browser: Browser, golden: Engine, tmp_path: Path) -> None:
    picture = Path(os.environ.get("QA_PICTURE", tmp_path / "page.png"))
    with serving(golden, Settings(index_dir=golden.indexes.folder)) as url:
        context = browser.new_context(viewport={"width": 1200, "height": 760})
        page = context.new_page()
        page.goto(url)
        ask(page, "When was the first photograph of a black hole presented?")
        page.get_by_role("button", name="Show in the document").first.click()
        expect(page.locator("#text mark")).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=picture)
        context.close()
    assert picture.read_bytes().startswith(b"\x89PNG")
