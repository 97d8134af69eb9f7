"""Templates of QA documents: HTML with placeholders ``{{name}}``.

A placeholder of a value becomes escaped text, one of a block a whole table. Placeholders stand where HTML has text: not
in a tag, a comment, or an element whose content is no text (script, style), where escaped values could still act.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

# Characters; with the limits of values and blocks, a whole document then fits into a message to the server.
MAX_TEMPLATE = 24 << 10
MAX_VALUES = 20

VALUES = (
    "serial",
    "platform",
    "manufacturer",
    "product",
    "sku",
    "result",
    "started",
    "ended",
    "version",
    "kernel",
)
BLOCKS = (
    "identity",
    "run",
    "specification",
    "hardware",
    "firmware",
    "disks",
    "interfaces",
    "burn_in",
    "files",
    "steps",
    "credentials",
)
KNOWN = f"values {', '.join(VALUES)}; blocks {', '.join(BLOCKS)}"

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# Parts of a page that hold no text that is shown: each is recognised at its start and ends as stated.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_RAW = re.compile(
    r"<(script|style|template|noscript|iframe|xmp|noembed|noframes|plaintext)\b.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[/!?a-z](?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\"'>])*+(?:>|\Z)", re.DOTALL | re.IGNORECASE)
_ONLY_TEXT = re.compile(r"<(title|textarea)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class QaTemplate:
    """``parts``: plain HTML and names of placeholders in turn, beginning and ending with HTML."""

    parts: tuple[str, ...]

    def fill(self, contents: Mapping[str, str]) -> str:
        """``contents``: HTML of each placeholder."""
        return "".join(part if index % 2 == 0 else contents[part] for index, part in enumerate(self.parts))


def parse_template(source: str, data: bytes) -> QaTemplate:
    """Raises BadInput with every problem and its line. ``source`` names the file."""
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise BadInput(source, [Problem(f"byte {exc.start}", "is not UTF-8")]) from exc
    text = text.removeprefix("\ufeff")
    if problems := sorted(_problems(text), key=_line):
        raise BadInput(source, problems)
    return QaTemplate(tuple(_PLACEHOLDER.split(text)))


def _problems(text: str) -> Iterator[Problem]:
    if len(text) > MAX_TEMPLATE:
        yield Problem("", f"has {len(text)} characters; at most {MAX_TEMPLATE}")
        return
    spans = _spans(text)
    seen: dict[str, int] = {}
    values = 0
    for match in _PLACEHOLDER.finditer(text):
        name, place = match[1], _place(text, match.start())
        if name in VALUES:
            values += 1
        elif name not in BLOCKS:
            yield Problem(place, f"unknown placeholder {{{{{name[:40]}}}}}; known: {KNOWN}")
            continue
        elif name in seen:
            yield Problem(place, f"{{{{{name}}}}} stands in line {seen[name]} already; a block is inserted once")
        else:
            seen[name] = text.count("\n", 0, match.start()) + 1
        where = next((what for start, end, what in spans if start <= match.start() < end), "")
        if where and (where != "title" or name in BLOCKS):
            yield Problem(place, f"{{{{{name}}}}} stands in a {where}; placeholders belong into text")
    if values > MAX_VALUES:
        yield Problem("", f"has {values} placeholders of values; at most {MAX_VALUES}")
    without = _PLACEHOLDER.sub(lambda match: " " * len(match[0]), text)
    for stray in re.finditer(r"\{\{", without):
        yield Problem(_place(text, stray.start()), "{{ begins no placeholder; write &#123;&#123; for the characters")
    if "{{serial}}" not in re.sub(r"\s", "", text) and "identity" not in seen:
        yield Problem("", "names the unit nowhere: {{serial}} or {{identity}} is missing")


def _spans(text: str) -> list[tuple[int, int, str]]:
    """Parts of the page, from start to end, in which HTML has no text; titles have text, but no elements."""
    found: list[tuple[int, int, str]] = []
    position = text.find("<")
    while position >= 0:
        end = position + 1
        for pattern, what in ((_COMMENT, "comment"), (_RAW, "script or style"), (_ONLY_TEXT, "title"), (_TAG, "tag")):
            match = pattern.match(text, position)
            if match:
                found.append((position, match.end(), what))
                end = match.end()
                break
        position = text.find("<", end)
    return found


def _line(problem: Problem) -> int:
    """0 of one with the whole template."""
    return int(problem.place.removeprefix("line ") or 0)


def _place(text: str, offset: int) -> str:
    return f"line {text.count(chr(10), 0, offset) + 1}"
