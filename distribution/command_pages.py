"""What the command line says of each command and action, as values that manual pages are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import typer
from typer.core import TyperGroup
from typer.main import get_command

from gprov.apps.host.cli.commands import COMMANDS

PROGRAM = "gprov"
Entries = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPage:
    """``words``: of the command line, beginning with the program. ``usage``: what follows them. ``paragraphs``: of the
    help. ``arguments``, ``options``: as they are written, and what they mean. ``inner``: word and summary of each
    command below."""

    words: tuple[str, ...]
    usage: str
    paragraphs: tuple[str, ...]
    arguments: Entries
    options: Entries
    inner: Entries

    @property
    def name(self) -> str:
        """Of its manual page: ``gprov-image-create``."""
        return "-".join(self.words)

    @property
    def summary(self) -> str:
        return first_sentence(self.paragraphs[0])


def command_pages(application: typer.Typer) -> Iterator[CommandPage]:
    """The application's own page, then those of its commands, each before those below it."""
    yield from _pages(typer.Context(get_command(application), info_name=PROGRAM), (PROGRAM,))


def first_sentence(text: str) -> str:
    """Without the dot at its end. A dot ends a sentence if a blank and a capital letter or a quotation mark follow."""
    for place, character in enumerate(text):
        rest = text[place + 1 :]
        if character == "." and (not rest or (rest[0] == " " and (rest[1:2].isupper() or rest[1:2] == '"'))):
            return text[:place]
    return text


def _pages(context: typer.Context, words: tuple[str, ...]) -> Iterator[CommandPage]:
    known = context.command
    inner = dict(known.commands) if isinstance(known, TyperGroup) else {}
    if words == (PROGRAM,):  # in the order of the overview
        inner = {name: inner[name] for name in COMMANDS}
    records = [(parameter, parameter.get_help_record(context)) for parameter in known.get_params(context)]
    shown = [(parameter.param_type_name, _one_line(record)) for parameter, record in records if record is not None]
    yield CommandPage(
        words=words,
        usage=" ".join(known.collect_usage_pieces(context)),
        paragraphs=_paragraphs(known.help or ""),
        arguments=tuple(record for kind, record in shown if kind == "argument"),
        options=tuple(record for kind, record in shown if kind == "option"),
        inner=tuple((name, first_sentence(_paragraphs(each.help or "")[0])) for name, each in inner.items()),
    )
    for name, each in inner.items():
        yield from _pages(typer.Context(each, info_name=name, parent=context), (*words, name))


def _one_line(record: tuple[str, str]) -> tuple[str, str]:
    written, means = record
    return " ".join(written.split()), " ".join(means.split())


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n"))
