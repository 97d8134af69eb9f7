"""Options of ``gprov server run`` that override keys of ``server.toml``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import typer

from gprov.domain.errors import BadInput
from gprov.domain.factory import messages
from gprov.domain.factory.server_settings import SETTINGS_FILE, section_types
from gprov.domain.factory.settings.kinds import Checked, Number, Section, Whole

S = TypeVar("S", bound=Section)


def setting_option(section: str, key: str, metavar: str) -> Any:
    """The option of a key, for an ``Annotated`` of a parameter that is None without it."""
    kind = section_types()[section]
    member = next(each for each in messages.members(kind) if each.name == key)
    default = getattr(kind(), key)
    shown = f"{default:g}" if isinstance(default, float) else str(default) or "empty"
    help_text = f"{member.description.replace('`', '')} (default: [{section}] {key} in {SETTINGS_FILE}, or {shown})"
    return typer.Option(metavar=metavar, help=help_text, show_default=False, parser=_parser(member.kind))


def overridden(section: S, **given: object) -> S:
    """The section with those values that are not None."""
    return replace(section, **{key: value for key, value in given.items() if value is not None})


def _parser(kind: object) -> Callable[[str], object] | None:
    """None for a kind that typer reads by the type of the parameter."""
    if isinstance(kind, Whole):
        return lambda text: _limited(text, int, kind.check)
    if isinstance(kind, Number):
        return lambda text: _limited(text, float, kind.check)
    if isinstance(kind, Checked):
        return lambda text: _fitted(text, kind)
    return None


def _limited(text: str, read: Callable[[str], Any], check: Callable[[Any], str]) -> object:
    """Raises BadParameter."""
    try:
        number = read(text)
    except ValueError as exc:
        raise typer.BadParameter(f"must be a number, is {text!r}") from exc
    problem = check(number)
    if problem:
        raise typer.BadParameter(problem)
    return number


def _fitted(text: str, kind: Checked) -> str:
    """Raises BadParameter."""
    try:
        return kind.fitted(text)
    except BadInput as error:
        raise typer.BadParameter("; ".join(problem.message for problem in error.problems)) from error
