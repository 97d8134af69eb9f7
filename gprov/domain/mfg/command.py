"""Commands of provisioning steps: parses templates and splits the text into words like a POSIX shell.

The text is split before templates are expanded, so a value with blanks or quotes stays within its argument. Quoting
follows POSIX.1-2017, XCU section 2.2. Variables, globs and pipes are not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby


class TemplateValue(Enum):
    """Templates; the value is the name between the braces."""

    DL_DIR = "DLDir"
    RECOVERY_DIR = "RecoveryDir"
    SERIAL = "Serial"
    BIOS = "BiosPass"
    IPMI = "IpmiPass"
    OS = "OSPass"


PASSWORDS = frozenset({TemplateValue.BIOS, TemplateValue.IPMI, TemplateValue.OS})

_TEMPLATE = re.compile(r"\{\{\s*\$?\.(" + "|".join(value.value for value in TemplateValue) + r")\s*\}\}")
# Go's text/template: white space beside "{{- " and " -}}" is left out, and so are comments.
# From the beginning of the white space only: otherwise each blank of a long row is tried.
_TRIM_BEFORE = re.compile(r"(?<!\s)\s*\{\{-(?=\s)")
_TRIM_AFTER = re.compile(r"(?<=\s)-\}\}\s*")
_COMMENT_BEGIN = re.compile(r"\{\{\s*/\*")
_COMMENT_END = re.compile(r"\*/\s*\}\}")
_VALUES = " ".join(f"{{{{.{value.value}}}}}" for value in TemplateValue)
_BLANKS = " \t\r\n"
_ESCAPED_IN_QUOTES = '$`"\\\n'
_SHELL_ONLY = "|&;<>$`"

Part = str | TemplateValue


@dataclass(frozen=True, slots=True)
class Word:
    """One argument: literal texts and templates, to be concatenated."""

    parts: tuple[Part, ...] = ()

    @property
    def values(self) -> frozenset[TemplateValue]:
        return frozenset(part for part in self.parts if isinstance(part, TemplateValue))


NO_WORD = Word()


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """Words of a text and its problems. ``shell_only``: unquoted characters with a meaning in a shell, which are plain
    text here."""

    words: tuple[Word, ...]
    problems: tuple[str, ...] = ()
    shell_only: str = ""


def parse_command(text: str) -> ParsedCommand:
    """Split a command line into words. An empty text or program is a problem."""
    problems: list[str] = []
    splitter = _Splitter()
    for atom in _atoms(text, problems):
        splitter.feed(atom)
    words = splitter.finish(problems)
    if not words and not problems:
        problems.append("is empty")
    elif words and not words[0].parts:
        problems.append("has no program")
    return ParsedCommand(words, tuple(problems), "".join(sorted(splitter.shell_only)))


def parse_template(text: str) -> ParsedCommand:
    """Parse a text with templates without splitting it: one word, or none if the text is empty."""
    problems: list[str] = []
    word = _word(list(_atoms(text, problems)))
    return ParsedCommand((word,) if word.parts else (), tuple(problems))


def _atoms(text: str, problems: list[str]) -> Iterator[Part]:
    """Single characters and templates. An unknown template is a problem."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        problems.append("contains characters that are not possible in arguments (NUL, surrogates)")
        return
    text = _without_comments(_TRIM_AFTER.sub("}}", _TRIM_BEFORE.sub("{{", text)))
    position = 0
    while position < len(text):
        match = _TEMPLATE.match(text, position)
        if match:
            yield TemplateValue(match[1])
            position = match.end()
        elif text.startswith("{{", position):
            end = text.find("}}", position)
            end = len(text) if end < 0 else end + 2
            problems.append(_unknown_template(text[position:end]))
            position = end
        else:
            yield text[position]
            position += 1


def _without_comments(text: str) -> str:
    """What begins as a comment and does not end as one stays: it is an unknown template."""
    kept: list[str] = []
    position = searched = 0
    while begin := _COMMENT_BEGIN.search(text, searched):
        end = text.find("*/", begin.end())
        if end < 0:
            break
        searched = end + 2
        if closed := _COMMENT_END.match(text, end):
            kept.append(text[position : begin.start()])
            position = searched = closed.end()
    return "".join((*kept, text[position:]))


def _unknown_template(action: str) -> str:
    """What to write instead of an action that is none of the six values. Go's other actions compute or decide."""
    inside = action.removeprefix("{{").removesuffix("}}").strip()
    shown = f"template {action[:40]!r}"
    if not action.endswith("}}"):
        return f"unknown {shown}: }}}} is missing; known: {_VALUES}"
    if re.fullmatch(r"\.\w+", inside) or not inside:
        return f"unknown {shown}; known: {_VALUES}"
    if re.fullmatch(r'"[^"\\]*"|`[^`]*`', inside):
        return f"unknown {shown}: write the text itself; known: {_VALUES}"
    return (
        f"unknown {shown}: only single values are put in, without conditions, pipes and functions; known: {_VALUES}. "
        "For more, fetch a script with Files and pass it the values as arguments"
    )


@dataclass(slots=True, kw_only=True)
class _Splitter:
    words: list[Word] = field(default_factory=list)
    current: list[Part] | None = None  # None between words; an empty list is an empty word ('')
    quote: str = ""
    escaped: bool = False
    comment: bool = False
    shell_only: set[str] = field(default_factory=set)

    def feed(self, atom: Part) -> None:
        if self.comment:
            self.comment = atom != "\n"
        elif self.escaped:
            self._after_backslash(atom)
        elif self.quote:
            self._quoted(atom)
        else:
            self._bare(atom)

    def finish(self, problems: list[str]) -> tuple[Word, ...]:
        if self.escaped:
            problems.append("ends in a backslash")
        if self.quote:
            problems.append(f"a {self.quote} quote is not closed")
        self._end()
        return tuple(self.words)

    def _after_backslash(self, atom: Part) -> None:
        self.escaped = False
        if self.quote and (isinstance(atom, TemplateValue) or atom not in _ESCAPED_IN_QUOTES):
            self._add("\\")
        if atom != "\n":
            self._add(atom)

    def _quoted(self, atom: Part) -> None:
        if atom == self.quote:
            self.quote = ""
        elif atom == "\\" and self.quote == '"':
            self.escaped = True
        else:
            self._add(atom)

    def _bare(self, atom: Part) -> None:
        if isinstance(atom, TemplateValue):
            self._add(atom)
        elif atom in _BLANKS:
            self._end()
        elif atom == "\\":
            self.escaped = True
        elif atom in "'\"":
            self.quote = atom
            self.current = self.current or []
        elif atom == "#" and self.current is None:
            self.comment = True
        else:
            if atom in _SHELL_ONLY:
                self.shell_only.add(atom)
            self._add(atom)

    def _add(self, atom: Part) -> None:
        if self.current is None:
            self.current = []
        self.current.append(atom)

    def _end(self) -> None:
        if self.current is not None:
            self.words.append(_word(self.current))
        self.current = None


def _word(atoms: list[Part]) -> Word:
    """Join adjacent characters into one literal text."""
    parts: list[Part] = []
    for literal, group in groupby(atoms, key=lambda atom: isinstance(atom, str)):
        same = list(group)
        parts.extend(["".join(map(str, same))] if literal else same)
    return Word(tuple(parts))
