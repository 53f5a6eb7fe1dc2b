"""Find prose that breaks the house style: docstrings, comments, messages, Markdown and test names.

Run `python -m tests.prose [PATH ...]` to print the hits by file and line.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RULES = Path(__file__).with_name("prose_rules.toml")
# Data that people or programs read as documents, licence texts, and the rules themselves.
_NOT_PROSE = re.compile(
    r"eval/(golden|results|yes_no/documents)/|^LICENSE$|^tests/prose|/model\.xml$|\.(bin|png|svg|json|csv|jsonl)$"
)
_SUFFIXES = {".md", ".toml", ".yaml", ".yml", ".html", ".css", ".js", ".txt", ".cfg"}
_NAMES = {"Makefile", "Dockerfile", "NOTICE", "run"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that breaks a rule."""

    path: Path
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text!r}: {self.advice}"


def rules() -> list[tuple[re.Pattern[str], str]]:
    """Return each forbidden pattern with what to write instead."""
    patterns = tomllib.loads(RULES.read_text(encoding="utf-8"))["patterns"]
    # A space in a pattern also matches a line break, with the margin of the next line.
    return [(re.compile(p.replace(" ", r"[\s#]+"), re.IGNORECASE), advice) for p, advice in patterns.items()]


def tracked_files() -> list[Path]:
    """Return the files of the repository that hold prose, relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [Path(name) for name in listed if not _NOT_PROSE.search(name) and (ROOT / name).is_file()]


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of each piece of prose in a file."""
    if path.suffix == ".py":
        text = (ROOT / path).read_text(encoding="utf-8")
        yield from _comments(text)
        yield from _strings(text, messages=not path.is_relative_to("tests"))
    elif path.suffix in _SUFFIXES or path.name in _NAMES:
        text = (ROOT / path).read_text(encoding="utf-8")
        if path.suffix == ".md":
            text = re.sub(r"```.*?```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL)
        # Patterns may span a line break, as prose does.
        for paragraph in re.finditer(r"(?:[^\n]*\S[^\n]*\n?)+", text):
            yield text.count("\n", 0, paragraph.start()) + 1, paragraph[0]


def _comments(text: str) -> Iterator[tuple[int, str]]:
    first, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] == first + len(lines):
                lines.append(token.string.removeprefix("#"))
                continue
            if lines:
                yield first, "\n".join(lines)
            first, lines = token.start[0], [token.string.removeprefix("#")]
    if lines:
        yield first, "\n".join(lines)


def _strings(text: str, *, messages: bool) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    docstrings = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.add(id(node.value))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_docstring = id(node) in docstrings
            if is_docstring or (messages and " " in node.value.strip()):
                yield node.lineno, node.value


def hits(paths: Sequence[Path]) -> list[Hit]:
    """Return every place in the files that breaks a rule."""
    forbidden = rules()
    return [
        Hit(path, line + prose.count("\n", 0, match.start()), " ".join(match[0].split()), advice)
        for path in paths
        for line, prose in prose_of(path)
        for pattern, advice in forbidden
        for match in pattern.finditer(prose)
    ]


def sentence_lengths(markdown: str) -> list[int]:
    """Return the number of words of each sentence in Markdown, without code blocks, tables and headings."""
    text = re.sub(r"```.*?```", "\n\n", markdown, flags=re.DOTALL)
    lengths = []
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*|#] ?)|\n(?=\d+\. )", text):
        prose = paragraph.strip().lstrip("-* ")
        if prose and prose[0] not in "|#!<>":
            prose = re.sub(r"`[^`]*`", "code", prose)
            sentences = re.split(r"(?<=[.!?])[)\"'*]*\s+", prose)
            lengths += [len(words) for sentence in sentences if (words := re.findall(r"[\w'’-]+", sentence))]
    return lengths


def main(arguments: Sequence[str]) -> int:
    """Print the hits below the given paths; return 1 if there are any."""
    folders = [Path(argument) for argument in arguments]
    breaches = hits([p for p in tracked_files() if not folders or any(p.is_relative_to(f) for f in folders)])
    print(*breaches, f"{len(breaches)} hits", sep="\n")  # noqa: T201
    return bool(breaches)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
