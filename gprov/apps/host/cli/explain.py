"""``gprov explain``: what a text that a unit has shown means, and what to do."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.domain.errors import ExitCode

if TYPE_CHECKING:
    from gprov.apps.host.runbook.matching import Found

_WIDTH = 100
# Line of a log with the severity of what needs no action; the runbook leaves these out.
_LOG = re.compile(r"\S+Z LOG ")
_OF_THE_LOG = (
    "lines of the log of severity LOG need no action, and most are not in the runbook; look for the next one of "
    "severity MSG, WARNING or ERROR"
)
_UNKNOWN = "the runbook has no such text; give one text in quotes, as the unit shows it, or some words of it in a row"
# Entries have links of their pages.
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def attach(root: typer.Typer, name: str) -> None:
    root.command(name)(explain_text)


def explain_text(
    words: Annotated[
        list[str],
        typer.Argument(metavar="TEXT", help="the text as a unit shows it, a line of its log, or a part of the text"),
    ],
    as_json: Json = False,
) -> int:
    """What a text that a unit has shown means, what the unit does by itself, and what to do. Of a text that was cut or
    has lost its beginning, all that it may be a part of, the most similar first. Status 1: it is not in the runbook;
    entries of similar texts follow."""
    from gprov.apps.host.runbook.matching import explain, similar

    text = " ".join(words)
    found = explain(text)
    if _LOG.match(text) and not any(one.is_whole for one in found):
        found = ()
    if as_json:
        document(
            [
                {
                    "text": one.text,
                    "template": one.template,
                    "whole": one.is_whole,
                    "page": f"docs/runbook/{one.chapter.name}.md",
                    "means": one.entry.means,
                    "unit": one.entry.unit,
                    "person": one.entry.person,
                }
                for one in found
            ]
        )
        return ExitCode.DONE if found else ExitCode.NEGATIVE
    if found:
        _show(found, "part of: ")
        return ExitCode.DONE
    say(f"gprov: explain: {_OF_THE_LOG if _LOG.match(text) else _UNKNOWN}", err=True)
    if not _LOG.match(text):
        _show(similar(text), "similar: ")
    return ExitCode.NEGATIVE


def _show(found: Iterable[Found], label_of_part: str) -> None:
    for one in found:
        say(one.template if one.is_whole else f"{label_of_part}{one.template}")
        for label, paragraph in (("means", one.entry.means), ("unit", one.entry.unit), ("person", one.entry.person)):
            _print(label, paragraph)


def _print(label: str, paragraph: str) -> None:
    if paragraph:
        paragraph = _LINK.sub(r"\1", paragraph)
        indent = f"  {label + ':':<8}"
        for line in textwrap.wrap(paragraph, _WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent)):
            say(line)
