"""Code blocks of a page, by the convention of CONTRIBUTING.md ("Documentation that runs"). Pure.

=============================================  =======================================================================
block                                          is
=============================================  =======================================================================
```` ```sh ````                                commands: run as they stand, in one shell for the whole page
```` ```text title="Output" ````               what the commands before it print; ``…`` stands for what varies: within
                                               a line, or (alone on a line) for any lines
```` ```json title="FILE" ```` (any language)  a file that the reader makes
any other language (``json``, ``text``, …)     an example, nothing to be run, if it does not call gprov
without a language, indented, ``console`` …    commands that are not run, which the comment before them has to explain
=============================================  =======================================================================

A comment before commands may be ``<!-- not run: REASON -->``, ``<!-- run by: TEST -->`` if another test enters them,
or ``<!-- typed: TEXT (N times) -->`` for what a person types at the prompts of the commands.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

ANYTHING = "…"
OUTPUT = "Output"
COMMAND_LANGUAGES = ("sh", "bash", "shell", "console", "")
_RUN_LANGUAGE = "sh"
_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<info>.*)$")
_TITLE = re.compile(r'\btitle="([^"]*)"')
_COMMENT = re.compile(r"^\s*<!-- (?P<key>not run|run by|typed): (?P<text>.+?) -->$")
_TYPED = re.compile(r"(?P<text>.+?)(?: \((?P<count>\d+) times\))?")
_INDENTED = re.compile(r"^(?: {4}|\t)\s*\S")
_CALL = re.compile(r"^\s*(?:[#$] )?(?:[A-Z_]+=\S+ )*gprov[ -][a-z-]+(?![a-z:-])", re.MULTILINE)
# Printed every some seconds where standard error is no terminal: whether it is depends on the speed of the machine.
_PROGRESS = re.compile(r".*: [0-9]+ %")
_ITEM = re.compile(r"^ *(?:[-*+]|\d+\.) ")


class Kind(Enum):
    COMMANDS = "commands"
    OUTPUT = "output"
    FILE = "file"
    NOT_RUN = "not run"
    ELSEWHERE = "run by another test"
    UNEXPLAINED = "neither run nor explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """``line``: of the page, from 1. ``name``: of a file. ``reason``: why the commands are not run, or the test
    that runs them. ``typed``: lines that a person types."""

    kind: Kind
    line: int
    text: str
    name: str = ""
    reason: str = ""
    typed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Raw:
    line: int
    language: str
    title: str
    text: str
    before: str


def blocks_of(page: str) -> tuple[Block, ...]:
    """Blocks that say something about commands, in their order. Raises ValueError for a comment or an output that
    belongs to no commands."""
    found: list[Block] = []
    for raw in _raw_blocks(page.splitlines()):
        block = _block(raw)
        if block is None:
            continue
        if block.kind is Kind.OUTPUT and (not found or found[-1].kind is not Kind.COMMANDS):
            raise ValueError(f"line {raw.line}: output without commands before it")
        found.append(block)
    claimed = sum(bool(block.reason or block.typed) for block in found)
    comments = [number for number, line in enumerate(page.splitlines(), 1) if _COMMENT.match(line)]
    if claimed != len(comments):
        raise ValueError(f"a comment without commands after it; comments are in lines {comments}")
    return tuple(found)


def _block(raw: _Raw) -> Block | None:
    comment = _COMMENT.match(raw.before)
    if raw.title == OUTPUT:
        return Block(kind=Kind.OUTPUT, line=raw.line, text=raw.text)
    if raw.title:
        return Block(kind=Kind.FILE, line=raw.line, text=raw.text, name=raw.title)
    if raw.language not in COMMAND_LANGUAGES and not (raw.language == "text" and _CALL.search(raw.text)):
        return None
    if comment is not None and comment["key"] != "typed":
        kind = Kind.NOT_RUN if comment["key"] == "not run" else Kind.ELSEWHERE
        return Block(kind=kind, line=raw.line, text=raw.text, reason=comment["text"])
    if raw.language != _RUN_LANGUAGE:
        return Block(kind=Kind.UNEXPLAINED, line=raw.line, text=raw.text)
    return Block(kind=Kind.COMMANDS, line=raw.line, text=raw.text, typed=_typed(comment["text"]) if comment else ())


def _typed(text: str) -> tuple[str, ...]:
    found = _TYPED.fullmatch(text)
    assert found is not None
    return (found["text"],) * int(found["count"] or 1)


def _raw_blocks(lines: Sequence[str]) -> Iterator[_Raw]:
    number = 0
    in_list = False
    before = ""
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.match(line)
        if fence is not None:
            end = _end_of_fence(lines, number, fence["ticks"])
            indent = len(fence["indent"])
            text = "".join(f"{each[indent:]}\n" for each in lines[number + 1 : end])
            language, _, _ = fence["info"].strip().partition(" ")
            title = _TITLE.search(fence["info"])
            yield _Raw(number + 1, language, title[1] if title else "", text, before)
            number, before = end + 1, ""
            continue
        if _INDENTED.match(line) and not (in_list and not _is_deep(line)):
            end = _end_of_indented(lines, number)
            text = textwrap.dedent("".join(f"{each}\n" for each in lines[number:end]))
            yield _Raw(number + 1, "", "", text, before)
            number, before = end, ""
            continue
        if line.strip():
            before = line
            in_list = bool(_ITEM.match(line)) or (in_list and line.startswith(" "))
        number += 1


def _is_deep(line: str) -> bool:
    """In a list, code is indented by four more than the text of an item, which may be indented by up to three."""
    return line.startswith(" " * 6)


def _end_of_fence(lines: Sequence[str], start: int, ticks: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == ticks:
            return number
    raise ValueError(f"line {start + 1}: the block does not end")


def _end_of_indented(lines: Sequence[str], start: int) -> int:
    end = start
    for number in range(start, len(lines)):
        if lines[number].strip() and not lines[number].startswith("    "):
            break
        if lines[number].strip():
            end = number + 1
    return end


def matches(expected: str, printed: str) -> bool:
    """Whether the output of commands is what the page shows. Blanks and carriage returns at ends of lines do not
    count, nor lines of progress."""
    pattern = ""
    for line in expected.splitlines():
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split(ANYTHING)) + r"\n"
    lines = re.sub(r"\r+\n", "\n", printed).splitlines()
    text = "".join(f"{line.rstrip()}\n" for line in lines if not _PROGRESS.fullmatch(line))
    return re.fullmatch(pattern, text) is not None
