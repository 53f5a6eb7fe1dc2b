"""Kinds of HTML elements."""

from __future__ import annotations

BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "col", "colgroup", "dd", "details"}
    | {"dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1"}
    | {"h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li", "listing", "main", "menu"}
    | {"nav", "noframes", "ol", "optgroup", "option", "p", "plaintext", "pre", "search", "section", "summary"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "xmp"}
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
LISTS = frozenset({"dir", "menu", "ol", "ul"})
PREFORMATTED = frozenset({"listing", "plaintext", "pre", "xmp"})
# Form controls leave a gap between the texts around them.
CONTROLS = frozenset({"datalist", "input", "meter", "progress", "select", "textarea"})
SKIPPED = CONTROLS | {"embed", "head", "iframe", "link", "meta", "noframes", "rp", "script", "style", "template", "xml"}
# Elements whose text is simply the text inside them.
PLAIN = frozenset(
    {"abbr", "acronym", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark"}
    | {"s", "samp", "small", "span", "strike", "strong", "time", "tt", "u", "var"}
)
# Elements inside whose tags a parser sees no other tags.
RAW_TEXT = frozenset({"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"})
KNOWN = (
    BLOCKS
    | SKIPPED
    | RAW_TEXT
    | {"a", "abbr", "acronym", "applet", "area", "audio", "b", "base", "bdi", "bdo", "big", "blink", "br", "button"}
    | {"canvas", "cite", "code", "data", "del", "dfn", "em", "font", "frame", "i", "img", "ins", "kbd", "label", "map"}
    | {"mark", "marquee", "math", "nobr", "noscript", "object", "output", "param", "picture", "q", "rb", "rt", "rtc"}
    | {"ruby", "s", "samp", "slot", "small", "source", "span", "strike", "strong", "sub", "sup", "svg", "time", "track"}
    | {"tt", "u", "var", "video", "wbr"}
)
