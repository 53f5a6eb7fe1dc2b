"""The state machine that reads RTF into blocks."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from qa.documents.extract.office.styled_text import TextStyle
from qa.documents.extract.office.unreadable import Unreadable
from qa.documents.extract.rtf.blocks import Block, Note, Story
from qa.documents.extract.rtf.decoder import Decoder
from qa.documents.extract.rtf.state import Field, GroupState, OpenStory, Picture
from qa.documents.extract.rtf.tokens import Token, tokenize
from qa.documents.extract.rtf.words import (
    AROUND,
    CHARACTERS,
    CONTENTS,
    DATE,
    FOOTERS,
    HEADERS,
    HEADING,
    INFO,
    PAGE_FIELD,
    READ,
    SCRIPTS,
    SKIPPED,
    STRUCTURE,
    SYMBOLS,
)

# Notes and text boxes within others, and fields within fields.
_MAX_STORIES, _MAX_FIELDS = 10, 50


class RtfReader:
    """Reads a file.

    Attributes:
        body: the blocks of the document.
        headers: its headers.
        footers: its footers.
        info: its properties.
        unreadable: what it has beside text.
    """

    def __init__(self) -> None:
        self.body = Story()
        self.headers: list[Story] = []
        self.footers: list[Story] = []
        self.info: dict[str, str] = {}
        self.unreadable = Unreadable()
        self._decoder = Decoder()
        self._styles: dict[int, str] = {}
        self._style_levels: dict[int, int] = {}
        self._state = GroupState()
        # For each open group, the state around it and what is done at its end.
        self._groups: list[tuple[GroupState, list[Callable[[], None]]]] = []
        self._stories = [OpenStory(self.body)]
        self._fields: list[Field] = []
        self._picture = Picture()
        self._capture: list[str] = []
        self._is_optional = False

    def read(self, data: bytes) -> None:
        """Read a file; what follows the end of its outer group is no part of it."""
        for token in tokenize(data):
            if token.kind in ("text", "byte"):
                self._decoder.add(token.text)
                continue
            self._flush()
            if token.kind == "open":
                self._groups.append((copy(self._state), []))
                self._is_optional = False
                self._decoder.end_skipping()
            elif token.kind == "close":
                self._decoder.end_skipping()
                self._close_group()
                if not self._groups:
                    break
            elif token.kind == "symbol":
                self._read_symbol(token.text)
            else:
                self._read_word(token)
        self._flush()
        while self._groups:
            self._close_group()
        self._end_story()

    def _flush(self) -> None:
        text = self._decoder.take(self._state.font)
        if text:
            self._emit(text)

    def _emit(self, text: str) -> None:
        state = self._state
        if state.sink == "body":
            for open_field in self._fields:
                open_field.has_text |= not text.isspace()
            font = self._decoder.font(state.font).name
            style = TextStyle(state.is_hidden or state.is_deleted, state.is_bold, state.alignment, font)
            self._stories[-1].text.add(text, style)
        elif state.sink == "instruction":
            if self._fields:
                self._fields[-1].instruction += text
        elif state.sink == "fonttbl":
            self._decoder.font(state.font).name += text.strip(" ;")
        elif state.sink == "stylesheet":
            self._styles[state.style] = self._styles.get(state.style, "") + text
        elif state.sink.startswith("info ") or state.sink in ("label", "choice", "script"):
            self._capture.append(text)

    def _close_group(self) -> None:
        if self._groups:
            state, actions = self._groups.pop()
            for action in reversed(actions):
                action()
            self._state = state

    def _at_end(self, action: Callable[[], None]) -> None:
        if self._groups:
            self._groups[-1][1].append(action)

    def _begin_capture(self, sink: str, use: Callable[[str], None]) -> None:
        """Collect the text of the group that has begun, and use it at its end."""
        outer_sink, self._state.sink = self._state.sink, sink
        outer, self._capture = self._capture, []

        def finish() -> None:
            text, self._capture = "".join(self._capture), outer
            self._state.sink = outer_sink
            use(text)

        self._at_end(finish)

    def _begin_story(self, story: Story, note: Note | None = None) -> None:
        if len(self._stories) >= _MAX_STORIES:
            self._state.sink = ""
            return
        self._stories.append(OpenStory(story, note))
        self._state.sink, self._state.is_in_table, self._state.is_hidden = "body", False, False
        self._state.alignment = "baseline"
        fields, self._fields = self._fields, []

        def finish() -> None:
            self._end_story()
            self._stories.pop()
            self._fields = fields
            if note and note.story.blocks:
                self._stories[-1].anchored.append(note)

        self._at_end(finish)

    def _read_destination(self, word: str) -> bool:
        """Begin a group that is more than formatted text; return whether the word begins one."""
        state = self._state
        is_optional, self._is_optional = self._is_optional, False
        if word in SKIPPED or (is_optional and word not in READ):
            if state.sink == "body":
                if word == "pict":
                    self._picture = Picture()
                    self._at_end(lambda: self.unreadable.add_picture(*self._picture.size))
                self.unreadable.comments += word == "annotation"
            state.sink = ""
        elif not state.sink and word != "ud":
            return False
        elif word in HEADERS | FOOTERS:
            story = Story()
            (self.headers if word in HEADERS else self.footers).append(story)
            self._begin_story(story)
        elif word == "footnote":
            self._begin_story((note := Note("footnote")).story, note)
        elif word in ("shptxt", "dptxbxtext"):
            self._begin_story((note := Note("box")).story, note)
        elif word in ("fonttbl", "stylesheet"):
            state.sink = word
        elif word == "info":
            state.sink = "info"
        elif state.sink == "info" and word in INFO:
            self._begin_capture(f"info {word}", lambda text: self.info.__setitem__(word, self.info.get(word) or text))
        elif word in ("listtext", "pntext"):
            self._begin_capture("label", self._set_label)
        elif word == "field":
            self._begin_field()
        elif word == "fldinst":
            state.sink = "instruction"
        elif word == "fldrslt":
            self._begin_result()
        elif word == "ffl":
            self._begin_capture("choice", self._add_choice)
        elif word == "upr":
            state.around, state.sink = state.sink, ""
        elif word == "ud":
            state.sink = state.around
        elif word == "object":
            self.unreadable.objects[""] += 1
        elif word == "formfield":
            state.sink = "form"
        elif word in SCRIPTS:
            self._begin_capture("script", lambda text: self._emit(SCRIPTS[word](text)))
        elif word in AROUND:
            before, after = AROUND[word]
            self._emit(before)
            self._at_end(lambda: self._emit(after))
        elif word in READ:
            pass
        elif word == "nesttableprops":
            state.defines_nested = True
        else:
            return False
        return True

    def _set_label(self, text: str) -> None:
        self._stories[-1].label = " ".join(text.split())

    def _add_choice(self, text: str) -> None:
        if self._fields:
            self._fields[-1].choices.append(text)

    def _begin_field(self) -> None:
        depth = len(self._fields)
        if depth >= _MAX_FIELDS:
            return
        self._fields.append(open_field := Field())

        def finish() -> None:
            del self._fields[depth:]
            if not open_field.has_text:
                self._emit(open_field.shown())

        self._at_end(finish)

    def _begin_result(self) -> None:
        if self._fields and PAGE_FIELD.match(self._fields[-1].instruction) and len(self._stories) > 1:
            self._stories[-1].story.has_page_number = True
            self._state.sink = ""

    def _read_symbol(self, text: str) -> None:
        if self._decoder.skips_symbol():
            return
        if text == "*":
            self._is_optional = True
        elif text in "\r\n":
            self._read_word(Token("word", "par"))
        elif text in SYMBOLS:
            self._emit(SYMBOLS[text])

    def _read_word(self, token: Token) -> None:
        word, number = token.text, token.number
        self._decoder.end_skipping()
        if self._read_destination(word):
            return
        if word == "u":
            self._emit(self._decoder.unicode(number or 0, self._state.skip))
        elif word in CHARACTERS:
            self._emit(CHARACTERS[word])
        elif self._state.sink == "body" and word in STRUCTURE:
            self._read_structure(word, number)
        elif self._state.sink.startswith("info ") and word in DATE:
            separator, width = DATE[word]
            self._capture.append(f"{separator}{number or 0:0{width}d}")
        elif self._state.sink == "form":
            self._read_form(word, number or 0)
        else:
            self._read_format(word, number)

    def _read_structure(self, word: str, number: int | None) -> None:
        story = self._stories[-1]
        if word in ("par", "sect", "page"):
            self._end_paragraph(story.content(self._state))
        elif word in ("cell", "nestcell"):
            row = story.row if word == "cell" else story.nested
            self._end_paragraph(row.content)
            row.end_cell()
        elif word == "row":
            story.row.end(story.story.blocks)
        elif word == "nestrow":
            story.nested.end(story.row.content)
        elif word == "chpgn":
            story.story.has_page_number = True
        elif word == "chftn" and story.note:
            story.note.is_numbered = True
        elif word == "ftnalt" and story.note:
            story.note.kind = "endnote"
        else:
            (story.nested if self._state.defines_nested else story.row).define(word, number or 0)

    def _read_form(self, word: str, number: int) -> None:
        if self._fields and word in ("fftype", "ffres", "ffdefres"):
            name = {"fftype": "type", "ffres": "result", "ffdefres": "default"}[word]
            setattr(self._fields[-1], name, number)

    def _read_format(self, word: str, number: int | None) -> None:
        state = self._state
        if state.sink == "fonttbl":
            state.font = number or 0 if word == "f" else state.font
            self._decoder.define_font(state.font, word, number or 0)
        elif state.sink == "stylesheet" and word in ("cs", "ds", "ts"):
            # Styles of characters, sections and tables.
            state.style = -1
        elif not state.apply(word, number) and not self._picture.define(word, number or 0):
            self._decoder.set_encoding(word, number or 0)
        if state.sink == "stylesheet" and word == "outlinelevel":
            self._style_levels[state.style] = state.outline

    def _end_paragraph(self, blocks: list[Block]) -> None:
        state = self._state
        style = self._styles.get(state.style, "").partition(";")[0].strip()
        level = min(state.outline, self._style_levels.get(state.style, 9))
        paragraph = self._stories[-1].take_paragraph(state.level)
        paragraph.is_heading = 0 <= level < 9 or bool(HEADING.fullmatch(style))
        paragraph.is_title = style.casefold() == "title"
        paragraph.is_contents = bool(CONTENTS.fullmatch(style))
        blocks.append(paragraph)

    def _end_story(self) -> None:
        """End the paragraph and the rows that the story ends with."""
        story = self._stories[-1]
        self._end_paragraph(story.content(self._state) if story.row.cells else story.story.blocks)
        story.nested.end(story.row.content)
        story.row.end(story.story.blocks)
