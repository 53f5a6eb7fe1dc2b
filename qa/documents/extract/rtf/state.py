"""What is known while RTF is read: the formatting of a group, fonts, fields and unfinished stories (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.documents.extract.office.styled_text import StyledText
from qa.documents.extract.rtf.blocks import Block, CellDefinition, Note, Paragraph, Story, TableRow, add_row

_MAX_CELLS = 200
# Twips in a centimetre.
_TWIPS = 1440 / 2.54


@dataclass(slots=True)
class GroupState:
    r"""What holds within a group.

    Attributes:
        sink: where text goes: the `body` of the story, a named property, or nowhere (``).
        around: the sink around a group whose first text is an alternative.
        depth: number of tables that a paragraph is in.
        defines_nested: whether the definitions of cells are those of a table in a cell.
        skip: number of characters after `\u` that stand for the same character.
    """

    sink: str = "body"
    around: str = "body"
    font: int = -1
    is_hidden: bool = False
    is_deleted: bool = False
    is_bold: bool = False
    alignment: str = "baseline"
    skip: int = 1
    style: int = 0
    outline: int = 9
    level: int = 0
    is_in_table: bool = False
    depth: int = 1
    defines_nested: bool = False

    def apply(self, word: str, number: int | None) -> bool:
        """Apply a control word that formats text or a paragraph; return whether it is one."""
        is_on = number != 0
        match word:
            case "plain":
                self.font, self.is_hidden, self.is_deleted, self.is_bold = -1, False, False, False
                self.alignment = "baseline"
            case "pard":
                self.style, self.outline, self.level, self.is_in_table, self.depth = 0, 9, 0, False, 1
            case "intbl":
                self.is_in_table = True
            case "itap":
                self.depth = number or 1
            case "v":
                self.is_hidden = is_on
            case "deleted":
                self.is_deleted = is_on
            case "b":
                self.is_bold = is_on
            case "super" | "sub":
                self.alignment = f"{word}script" if is_on else "baseline"
            case "up" | "dn":
                self.alignment = {"up": "superscript", "dn": "subscript"}[word] if is_on else "baseline"
            case "nosupersub":
                self.alignment = "baseline"
            case "uc":
                self.skip = max(0, number or 0)
            case "f":
                self.font = number or 0
            case "s":
                self.style = number or 0
            case "outlinelevel":
                self.outline = 9 if number is None else number
            case "ilvl":
                self.level = min(max(0, number or 0), 8)
            case _:
                return False
        return True


@dataclass(slots=True)
class Picture:
    """A picture: its width and height in twips, 1,440 to the inch, and its scale in percent; 0 if they are missing."""

    width: int = 0
    height: int = 0
    scale_x: int = 100
    scale_y: int = 100

    def define(self, word: str, number: int) -> bool:
        """Read a control word about the picture; return whether it is one."""
        name = {"picwgoal": "width", "pichgoal": "height", "picscalex": "scale_x", "picscaley": "scale_y"}.get(word)
        if name:
            setattr(self, name, max(0, number))
        return name is not None

    @property
    def size(self) -> tuple[float, float]:
        """Its width and height in centimetres."""
        return self.width * self.scale_x / 100 / _TWIPS, self.height * self.scale_y / 100 / _TWIPS


@dataclass(slots=True)
class OpenRow:
    """A row of a table that is being read."""

    content: list[Block] = field(default_factory=list)
    cells: list[list[Block]] = field(default_factory=list)
    definitions: list[CellDefinition] = field(default_factory=list)
    merge: str = ""
    is_header: bool = False

    def define(self, word: str, number: int) -> None:
        """Read a control word about the row or its cells."""
        if word == "trowd":
            self.definitions, self.merge, self.is_header = [], "", False
        elif word == "trhdr":
            self.is_header = True
        elif word in ("clvmrg", "clmrg"):
            self.merge = "above" if word == "clvmrg" else "left"
        elif word == "cellx" and len(self.definitions) < _MAX_CELLS:
            self.definitions.append(CellDefinition(number, self.merge))
            self.merge = ""

    def end_cell(self) -> None:
        """End a cell; of a row with too many, the last one has the rest."""
        if len(self.cells) < _MAX_CELLS:
            self.cells.append(self.content)
            self.content = []

    def end(self, blocks: list[Block]) -> None:
        """Add the row to the blocks around it; text without a cell is no row."""
        if self.cells:
            self.cells[-1] += self.content
            add_row(blocks, TableRow(self.cells, self.definitions, self.is_header))
        else:
            blocks += self.content
        self.cells, self.content = [], []


@dataclass(slots=True)
class OpenStory:
    """The story that is being read, with its unfinished paragraph and rows, of a table and of one in its cell."""

    story: Story
    note: Note | None = None
    text: StyledText = field(default_factory=StyledText)
    label: str = ""
    anchored: list[Note] = field(default_factory=list)
    row: OpenRow = field(default_factory=OpenRow)
    nested: OpenRow = field(default_factory=OpenRow)

    def content(self, state: GroupState) -> list[Block]:
        """Return the blocks that a paragraph of a group belongs to."""
        if not state.is_in_table:
            return self.story.blocks
        return (self.nested if state.depth > 1 else self.row).content

    def take_paragraph(self, level: int) -> Paragraph:
        """Return the paragraph that was read, at a level of a list, and begin another."""
        paragraph = Paragraph(self.text.finish().strip(), self.label, level, anchored=self.anchored)
        paragraph.is_bold = self.text.is_bold
        self.text, self.label, self.anchored = StyledText(), "", []
        return paragraph


@dataclass(slots=True)
class Field:
    """A field: its instruction, what its form control shows, and whether its result has text."""

    instruction: str = ""
    type: int = -1
    result: int = -1
    default: int = 0
    choices: list[str] = field(default_factory=list)
    has_text: bool = False

    def shown(self) -> str:
        """Return what a form control shows."""
        chosen = self.default if self.result in (-1, 25) else self.result
        if self.type == 2:
            return self.choices[chosen] if 0 <= chosen < len(self.choices) else ""
        if self.type == 1:
            return "[x]" if chosen == 1 else "[ ]"
        return ""
