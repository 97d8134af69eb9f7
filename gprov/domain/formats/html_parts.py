"""Parts of an HTML page. Every text is escaped where it is inserted, by ``text``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from gprov.domain.formats.printable import printable_text

# Stands for a value that is empty.
NONE = "&#8211;"


def text(value: str) -> str:
    """The only way in which a text gets into a page."""
    return escape(printable_text(value))


def line_block(values: Iterable[str]) -> str:
    """One text per line, for an element that keeps line feeds: ``text`` replaces those within a value."""
    return "\n".join(text(value) for value in values)


def pairs(title: str, values: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{text(head)}</th><td>{text(value) or NONE}</td></tr>" for head, value in values)
    head = f"<h2>{text(title)}</h2>" if title else ""
    return f"{head}<table>{rows}</table>\n"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{text(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{text(cell) or NONE}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<h3>{text(title)}</h3><table class="grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>\n'


def bullets(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h3>{text(title)}</h3><ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>\n"
