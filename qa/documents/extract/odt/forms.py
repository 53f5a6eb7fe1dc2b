"""Form controls of an OpenDocument text: the values that were filled in."""

from __future__ import annotations

from collections.abc import Mapping

from qa.documents.extract.office.xml_tree import Element, children, qn

_FORM = "{urn:oasis:names:tc:opendocument:xmlns:form:1.0}"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_CHECKED, _UNCHECKED = "[x]", "[ ]"


def read_controls(body: Element) -> Mapping[str, str]:
    """Return what each control of the forms of a document shows, by its identifier."""
    controls: dict[str, str] = {}
    for forms in body.iter(qn("office:forms")):
        for control in forms.iter("*"):
            if control.tag.startswith(_FORM):
                shown = _shown(control)
                controls |= {key: shown for key in (control.get(_XML_ID), control.get(f"{_FORM}id")) if key and shown}
    return controls


def _shown(control: Element) -> str:
    local = control.tag.removeprefix(_FORM)
    if local in ("checkbox", "radio"):
        state = control.get(f"{_FORM}current-state") or control.get(f"{_FORM}state")
        selected = control.get(f"{_FORM}current-selected") or control.get(f"{_FORM}selected")
        box = _CHECKED if "checked" in (state, "checked" if selected == "true" else "") else _UNCHECKED
        return f"{box} {control.get(f'{_FORM}label') or ''}".strip()
    if local in ("listbox", "combobox"):
        options = [
            option.get(f"{_FORM}label") or ""
            for option in children(control)
            if option.get(f"{_FORM}current-selected") == "true"
        ]
        return ", ".join(options) or control.get(f"{_FORM}current-value") or ""
    if local in ("text", "textarea", "date", "time", "number", "formatted-text"):
        lines = ["".join(line.itertext()) for line in control.iter(qn("text:p"))]
        return control.get(f"{_FORM}current-value") or control.get(f"{_FORM}value") or "\n".join(lines)
    return control.get(f"{_FORM}label") or "" if local in ("fixed-text", "button") else ""
