"""Fields of a Word document that show something other than stored text: form controls, symbols and equation fields."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.documents.extract.docx.styles import is_on
from qa.documents.extract.office.symbols import symbol
from qa.documents.extract.office.xml_tree import Element, attribute, find, find_all, integer

CHECKED, UNCHECKED = "[x]", "[ ]"
_SYMBOL = re.compile(r"\s*SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,7})(?:.*\\f\s+\"?([^\"\\]+))?", re.IGNORECASE | re.DOTALL)
_BUTTON = re.compile(r"\s*(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s+(.+)", re.IGNORECASE | re.DOTALL)
_EQUATION = re.compile(r"\s*EQ\s+(.+)", re.IGNORECASE | re.DOTALL)
# The innermost switch of an equation field: its name, its options and its operands.
_SWITCH = re.compile(r"\\([a-z])((?:\s*\\[a-z]+\d*)*)\s*\(([^()]*)\)", re.IGNORECASE)
_MAX_EQUATION, _MAX_SWITCHES = 2_000, 50


@dataclass(slots=True)
class Field:
    """A field that has begun.

    Attributes:
        form: what its form control shows; None if it has none.
        in_result: whether its stored result has begun.
        has_text: whether its stored result has text.
    """

    form: str | None = None
    instruction: str = ""
    in_result: bool = False
    has_text: bool = False

    def shown(self) -> str:
        """Return what the field shows beside its stored result."""
        return "" if self.has_text else self.form or _shown_by(self.instruction)


def read_form(data: Element | None) -> str | None:
    """Return what the form control of a `w:ffData` element shows; None if there is none."""
    choices = find(data, "w:ddList")
    if choices is not None:
        entries = [attribute(entry, "w:val") or "" for entry in find_all(choices, "w:listEntry")]
        chosen = attribute(find(choices, "w:result"), "w:val") or attribute(find(choices, "w:default"), "w:val")
        return entries[integer(chosen)] if 0 <= integer(chosen) < len(entries) else None
    box = find(data, "w:checkBox")
    if box is not None:
        state = is_on(find(box, "w:checked"))
        state = is_on(find(box, "w:default")) if state is None else state
        return CHECKED if state else UNCHECKED
    return attribute(find(data, "w:textInput/w:default"), "w:val")


def _shown_by(instruction: str) -> str:
    match = _SYMBOL.match(instruction)
    if match:
        code = int(match[1], 0 if match[1].lower().startswith("0x") else 10)
        return symbol((match[2] or "").strip(), code)
    match = _BUTTON.match(instruction)
    if match:
        return match[1].strip()
    match = _EQUATION.match(instruction[:_MAX_EQUATION])
    return _read_equation(match[1]) if match else ""


def _read_equation(text: str) -> str:
    for _ in range(_MAX_SWITCHES):
        replaced = _SWITCH.sub(lambda match: _read_switch(match[1].lower(), match[2].lower(), match[3]), text)
        if replaced == text:
            break
        text = replaced
    # The brackets of finished operands would end the operands around them.
    return text.replace("⟮", "(").replace("⟯", ")").strip()


def _read_switch(name: str, options: str, operands: str) -> str:
    first, _, second = (
        (part.strip() for part in re.split("([,;])", operands, maxsplit=1))
        if re.search("[,;]", operands)
        else (operands.strip(), "", "")
    )
    match name:
        case "f":
            return f"{_group(first)}/{_group(second)}"
        case "r":
            return f"√[{first}]{_group(second)}" if first and second else f"√{_group(second or first)}"
        case "s":
            return f"_{_group(operands.strip())}" if "\\do" in options else f"^{_group(operands.strip())}"
        case "b":
            return f"⟮{operands}⟯"
        case _:
            return operands


def _group(text: str) -> str:
    return text if text.isalnum() else f"⟮{text}⟯"
