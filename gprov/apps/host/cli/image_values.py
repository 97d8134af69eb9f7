"""Values on the command line of ``gprov image``: functions return a text that is fit, or raise BadParameter."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import Annotated

import typer

from gprov.apps.host.cli.image_tools import product_names
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.image.imgmeta import FIELDS
from gprov.domain.image.name import SUFFIX, parse_image_name

_LONGEST_BUILD = 200  # what fits into the name of a file
_SIZE = re.compile(r"([0-9]{1,18})([KMGT]?)")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}  # powers of two


def names(branding: str | None, prefix: str | None) -> Branding:
    """``branding``: path of a file; ``prefix``: instead of the one in it. Raises as ``product_names``."""
    found = product_names(branding)
    return replace(found, image_prefix=prefix or found.image_prefix)


def date(text: str) -> str:
    day(text)
    return text


def day(text: str) -> datetime.date:
    """The date that the text stands for, as the name of an image has it."""
    try:
        return parse_image_name(f"{text}.0{SUFFIX}", prefix="").date
    except BadInput as exc:
        raise typer.BadParameter("; ".join(problem.message for problem in exc.problems)) from exc


def prefix(text: str) -> str:
    if "/" in text or "\0" in text:
        raise typer.BadParameter(f"must be the beginning of a file's name, is {text!r}")
    return text


OwnPrefix = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help=f"of image names (default: {Branding().image_prefix})", parser=prefix),
]


def build(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"must be digits, is {text!r}")
    if len(text) > _LONGEST_BUILD:
        raise typer.BadParameter(f"has {len(text)} digits, more than {_LONGEST_BUILD}")
    return text


def meta(text: str) -> str:
    key, equals, _ = text.partition("=")
    if not equals or key not in FIELDS:
        raise typer.BadParameter(f"must be KEY=VALUE with KEY one of {', '.join(FIELDS)}, is {text!r}")
    return text


def size(text: str) -> str:
    in_bytes(text)
    return text


def in_bytes(text: str) -> int:
    """A size such as 64G, in bytes."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"must be bytes, or a number with K, M, G or T (powers of 1024), is {text!r}")
    return int(found[1]) << _UNITS[found[2]]
