"""Equations of Word (OMML) and of OpenDocument (MathML) as a line of text, such as `E=mc^2` or `(a+b)/2`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from qa.documents.extract.office.xml_tree import Element, attribute, children, find, find_all, qn
from qa.documents.extract.scripts import exponent, group

_MATH = qn("math:math")[: -len("math")]
_BRACKETED = re.compile(r"[(\[{|‖].*[)\]}|‖]", re.DOTALL)
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_SPACED = frozenset("+=<>≤≥≠≈±×·")


def _script(base: str, sub: str = "", sup: str = "") -> str:
    lowered = f"_{group(sub)}" if sub else ""
    raised = sup if sup in ("′", "″", "‴", "*") else exponent(sup) if sup else ""
    return f"{base}{lowered}{raised}"


def _fraction(numerator: str, denominator: str) -> str:
    return f"{group(numerator)}/{group(denominator)}"


def _root(radicand: str, degree: str = "") -> str:
    sign = _ROOTS.get(degree)
    return f"{sign}{group(radicand)}" if sign else f"√[{degree}]{group(radicand)}"


def _accent(base: str, mark: str) -> str:
    """Return a letter with a combining mark, or a longer text followed by the mark."""
    if len(base) == 1 and mark and unicodedata.combining(mark[0]):
        return unicodedata.normalize("NFC", base + mark)
    return group(base) + mark


def _matrix(rows: Iterable[Iterable[str]]) -> str:
    return f"[{'; '.join(', '.join(row) for row in rows)}]"


def read_omml(element: Element, text_of_run: Callable[[Element], str]) -> str:
    """Return an equation of Word as text.

    Args:
        element: an `m:oMath` or `m:oMathPara` element.
        text_of_run: returns the text of an element that is no part of the equation's own notation.
    """
    return _Omml(text_of_run).read(element)


class _Omml:
    """Reads the elements of one equation."""

    def __init__(self, text_of_run: Callable[[Element], str]) -> None:
        self._text_of_run = text_of_run
        self._readers: dict[str, Callable[[Element], str]] = {
            qn("m:t"): lambda element: element.text or "",
            qn("m:oMathPara"): self._read_lines,
            qn("m:f"): self._read_fraction,
            qn("m:sSup"): self._read_script,
            qn("m:sSub"): self._read_script,
            qn("m:sSubSup"): self._read_script,
            qn("m:sPre"): lambda e: _script("", self._part(e, "sub"), self._part(e, "sup")) + self._part(e, "e"),
            qn("m:rad"): lambda element: _root(self._part(element, "e"), self._part(element, "deg")),
            qn("m:nary"): self._read_operator,
            qn("m:d"): self._read_delimiters,
            qn("m:m"): lambda element: _matrix(self._parts(row) for row in find_all(element, "m:mr")),
            qn("m:eqArr"): lambda element: "; ".join(filter(None, self._parts(element))),
            qn("m:func"): self._read_function,
            qn("m:limLow"): lambda element: _script(self._part(element, "e"), self._part(element, "lim")),
            qn("m:limUpp"): lambda element: _script(self._part(element, "e"), sup=self._part(element, "lim")),
            qn("m:acc"): lambda element: _accent(self._part(element, "e"), self._property(element, "chr", "\u0302")),
            qn("m:bar"): lambda element: _accent(self._part(element, "e"), "\u0305"),
            qn("m:phant"): self._read_phantom,
        }

    def read(self, element: Element) -> str:
        reader = self._readers.get(element.tag)
        if reader:
            return reader(element)
        if element.tag.startswith(qn("m:")):
            local = element.tag.rpartition("}")[2]
            return "" if local.endswith("Pr") else self._read_children(element)
        return self._text_of_run(element)

    def _read_children(self, element: Element | None) -> str:
        return "" if element is None else "".join(map(self.read, children(element)))

    def _part(self, element: Element, name: str) -> str:
        return self._read_children(find(element, f"m:{name}")).strip()

    def _parts(self, element: Element) -> list[str]:
        return [self._read_children(part).strip() for part in find_all(element, "m:e")]

    @staticmethod
    def _property(element: Element, name: str, default: str) -> str:
        local = element.tag.rpartition("}")[2]
        value = attribute(find(element, f"m:{local}Pr/m:{name}"), "m:val")
        return default if value is None else value

    def _read_lines(self, element: Element) -> str:
        return "\n".join(filter(None, (self._read_children(line) for line in find_all(element, "m:oMath"))))

    def _read_fraction(self, element: Element) -> str:
        numerator, denominator = self._part(element, "num"), self._part(element, "den")
        if self._property(element, "type", "bar") == "noBar":
            return f"{numerator}¦{denominator}"
        return _fraction(numerator, denominator)

    def _read_script(self, element: Element) -> str:
        base = self._part(element, "e")
        return _script(base, self._part(element, "sub"), self._part(element, "sup"))

    def _read_operator(self, element: Element) -> str:
        sign = self._property(element, "chr", "∫")
        operand = self._part(element, "e")
        return f"{_script(sign, self._part(element, 'sub'), self._part(element, 'sup'))} {operand}".strip()

    def _read_delimiters(self, element: Element) -> str:
        separator = self._property(element, "sepChr", "|")
        opening, closing = self._property(element, "begChr", "("), self._property(element, "endChr", ")")
        return opening + separator.join(self._parts(element)) + closing

    def _read_function(self, element: Element) -> str:
        function, operand = self._part(element, "fName"), self._part(element, "e")
        return f"{function}{'' if _BRACKETED.fullmatch(operand) else ' '}{operand}".strip()

    def _read_phantom(self, element: Element) -> str:
        return "" if self._property(element, "show", "1") in ("0", "off", "false") else self._part(element, "e")


def read_mathml(element: Element) -> str:
    """Return an equation in MathML as text."""
    local = element.tag.removeprefix(_MATH)
    if local in ("annotation", "annotation-xml", "mphantom"):
        return ""
    if local in ("mi", "mn", "mo", "mtext", "ms"):
        text = " ".join("".join(element.itertext()).split())
        return f" {text} " if local == "mo" and text in _SPACED else text
    texts = [read_mathml(child) for child in children(element)]
    parts = [text.strip() for text in texts]
    match local, parts:
        case "mfrac", [numerator, denominator]:
            return _fraction(numerator, denominator)
        case "msup" | "mover", [base, sup]:
            return _accent(base, sup) if local == "mover" and len(sup) == 1 else _script(base, "", sup)
        case "msub" | "munder", [base, sub]:
            return _script(base, sub)
        case "msubsup" | "munderover", [base, sub, sup]:
            return _script(base, sub, sup)
        case "msqrt", _:
            return _root("".join(parts))
        case "mroot", [radicand, degree]:
            return _root(radicand, degree)
        case "mfenced", _:
            return f"{element.get('open', '(')}{', '.join(parts)}{element.get('close', ')')}"
        case "mtable", _:
            return f"[{'; '.join(parts)}]"
        case "mtr" | "mlabeledtr", _:
            return ", ".join(parts)
        case _:
            return "".join(texts)
