"""What the commands have in common: how their applications are made, shared options, and checks of values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Annotated

import typer

from gprov.apps.host.cli.output import has_colours

HELP_OPTIONS = ("--help", "-h")

Json = Annotated[bool, typer.Option("--json", help="print one JSON document instead of text (docs/reference/cli.md)")]


def new_app(summary: str, *, completion: bool = False) -> typer.Typer:
    """Help has boxes on a terminal that shows colours, and is plain text elsewhere. Exceptions are left to ``main``."""
    return typer.Typer(
        help=summary,
        add_completion=completion,
        rich_markup_mode="rich" if has_colours(sys.stdout) else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": list(HELP_OPTIONS)},
    )


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """A parser for one of these words."""

    def parse(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"must be one of {', '.join(names)}, is {text!r}")
        return text

    return parse


def words_for_completion(names: Collection[str]) -> Callable[[str], list[str]]:
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]
