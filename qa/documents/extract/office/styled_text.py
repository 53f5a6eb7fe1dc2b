"""Text in runs of different styles, as word processors store it, joined to what the reader sees (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from qa.documents.extract.office.symbols import INVISIBLE, replace_symbols
from qa.documents.extract.scripts import subscript, superscript


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a style shows its text; None where the style does not say.

    Attributes:
        alignment: `superscript`, `subscript` or `baseline`.
    """

    is_hidden: bool | None = None
    is_bold: bool | None = None
    alignment: str | None = None
    font: str | None = None

    def over(self, other: TextStyle) -> TextStyle:
        """Return this style with the settings of another where this one has none."""
        return TextStyle(
            other.is_hidden if self.is_hidden is None else self.is_hidden,
            other.is_bold if self.is_bold is None else self.is_bold,
            self.alignment or other.alignment,
            self.font or other.font,
        )


PLAIN = TextStyle()


class StyledText:
    """Collects the runs of a paragraph, without hidden text and invisible characters."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._alignment: str | None = None
        self._script: list[str] = []
        self._has_bold = self._has_regular = False

    @property
    def last(self) -> str:
        """The run that was added last, unless it is raised or lowered."""
        return self._parts[-1] if self._parts else ""

    @property
    def is_bold(self) -> bool:
        """Whether all of the text is bold."""
        return self._has_bold and not self._has_regular

    def add(self, text: str, style: TextStyle) -> None:
        """Add a run, unless it is hidden."""
        if not text or style.is_hidden:
            return
        if not text.isascii():
            text = replace_symbols(text.translate(INVISIBLE), style.font or "")
        if style.alignment != self._alignment:
            self._end_script()
            self._alignment = style.alignment
        if not text.isspace():
            self._has_bold |= bool(style.is_bold)
            self._has_regular |= not style.is_bold
        if self._alignment in ("superscript", "subscript"):
            # An exponent may be split into several runs.
            self._script.append(text)
        elif text:
            self._parts.append(text)

    def _end_script(self) -> None:
        if self._script:
            join = superscript if self._alignment == "superscript" else subscript
            self._parts.append(join(self.last, "".join(self._script)))
        self._script, self._alignment = [], None

    def finish(self) -> str:
        """Return the text, with the white space around it."""
        self._end_script()
        return "".join(self._parts)
