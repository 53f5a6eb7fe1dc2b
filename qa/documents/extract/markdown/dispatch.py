"""Choose the rules of a Markdown parser by a character, instead of trying each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_BlockRule = Callable[[StateBlock, int, int, bool], bool]
_InlineRule = Callable[[StateInline, bool], bool]

# The characters that each kind of block begins with; other kinds begin with any.
_BLOCK_STARTS = {
    "blockquote": ">",
    "extension": "[:!?=",
    "fence": "`~",
    "heading": "#",
    "hr": "*-_",
    "html_block": "<",
    "list": "*+-0123456789",
    "reference": "[",
}
_INLINE_STARTS = {
    "autolink": "<",
    "backticks": "`",
    "emphasis": "*_",
    "entity": "&",
    "escape": "\\",
    "html_inline": "<",
    "image": "!",
    "link": "[",
    "newline": "\n",
    "strikethrough": "~",
}
# Blocks that others may end without a blank line before.
_CHAINS = ("blockquote", "list", "paragraph", "reference")


def dispatch_rules(parser: MarkdownIt) -> None:
    """Replace the rules of a parser by rules that choose among them. Call it after the last rule is added."""
    blocks = parser.block.ruler
    names = dict(zip(blocks.getRules(), blocks.get_active_rules(), strict=True))
    chains = {chain: [(names[rule], rule) for rule in blocks.getRules(chain)] for chain in ("", *_CHAINS)}
    for rule, name in names.items():
        blocks.at(name, rule)
    # A paragraph begins with any character, so the rules after the first are never tried.
    blocks.before(next(iter(names.values())), "any", _block_rule(chains[""]))
    for chain in _CHAINS:
        blocks.push(f"end of {chain}", _block_rule(chains[chain]), {"alt": [chain]})
    inline = parser.inline.ruler
    inline.push("any", _inline_rule(zip(inline.get_active_rules(), inline.getRules(), strict=True)))
    inline.enableOnly("any")


def _block_rule(rules: Iterable[tuple[str, _BlockRule]]) -> _BlockRule:
    rules = list(rules)
    others = [rule for name, rule in rules if name not in _BLOCK_STARTS]
    chosen = {
        start: [rule for name, rule in rules if start in _BLOCK_STARTS.get(name, start)]
        for start in "".join(_BLOCK_STARTS.values())
    }

    def parse(state: StateBlock, first: int, last: int, silent: bool) -> bool:
        position = state.bMarks[first] + state.tShift[first]
        for rule in chosen.get(state.src[position : position + 1], others):  # noqa: SIM110 - faster than any()
            if rule(state, first, last, silent):
                return True
        return False

    return parse


def _inline_rule(rules: Iterable[tuple[str, _InlineRule]]) -> _InlineRule:
    rules = list(rules)
    others = [rule for name, rule in rules if name not in _INLINE_STARTS]
    chosen = {
        start: [rule for name, rule in rules if start in _INLINE_STARTS.get(name, "")]
        for start in "".join(_INLINE_STARTS.values())
    }

    def parse(state: StateInline, silent: bool) -> bool:
        for rule in chosen.get(state.src[state.pos], others):  # noqa: SIM110 - faster than any()
            if rule(state, silent):
                return True
        return False

    return parse
