"""Names of RTF's groups and control words, by what they mean for the text (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable

from qa.documents.extract.scripts import exponent, group

HEADING = re.compile(r"(?:heading|title)(?: ?\d)?", re.IGNORECASE)
CONTENTS = re.compile(r"(?:toc|index|table of figures)(?: ?(?:\d|heading))?", re.IGNORECASE)
PAGE_FIELD = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)

CHARACTERS = {"tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " "}
CHARACTERS |= {"qmspace": " ", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”"}
SYMBOLS = {"~": "\u00a0", "_": "-", "{": "{", "}": "}", "\\": "\\", "\t": "\t"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Groups that are not text of the document.
SKIPPED = _words(
    """colortbl filetbl revtbl rsidtbl listtable listoverridetable latentstyles themedata datastore generator pict
    nonshppict objdata objclass objname shprslt sp xe tc tcn rxe bkmkstart bkmkend pn pnseclvl template userprops
    xmlnstbl mmathPr nonesttables private atnid atnauthor atntime atndate atnref atnparent atrfstart atrfend
    ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn doccomm company operator manager category comment hlinkbase
    printim buptim fchars lchars wgrffmtfilter pgptbl picprop blipuid ffdeftext fname ffname ffhelptext
    ffstattext annotation ffentrymcr ffexitmcr mmathPict mtype msepChr mctrlPr background"""
)
# Groups that are read although programs that do not know them skip them.
READ = _words(
    """shpinst ud fldinst formfield ffl nesttableprops do shptxt dptxbxtext moMath moMathPara fldrslt footnote listtext
    pntext mmath mr shppict"""
)
# Groups of the drawing of an equation's parts, with what is written around them.
AROUND = {"mdeg": ("[", "]"), "mrad": ("√(", ")"), "md": ("(", ")")}
SCRIPTS: dict[str, Callable[[str], str]] = {
    "mnum": group,
    "mden": lambda text: f"/{group(text)}",
    "msup": exponent,
    "msub": lambda text: f"_{group(text)}",
}
"""Groups of an equation's parts, with how their text is written."""
HEADERS = _words("header headerl headerr headerf")
FOOTERS = _words("footer footerl footerr footerf")
INFO = _words("title author subject keywords creatim revtim")
DATE = {"yr": ("", 4), "mo": ("-", 2), "dy": ("-", 2), "hr": ("T", 2), "min": (":", 2)}
"""For each word of a date, what is before its number and the number's width in ISO form."""
STRUCTURE = _words("par sect page nestcell nestrow cell row chpgn chftn ftnalt trowd trhdr clvmrg clmrg cellx")
"""Words that divide the text."""
