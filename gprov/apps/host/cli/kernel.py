"""``gprov kernel``: facts of a kernel file, and which of two is newer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_start
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.formats.bzimage import Comparison, KernelFacts, newest, parse_bzimage

app = new_app("Facts in the header of a kernel file, and which of two kernels is newer.")
_START = 64 << 10


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("info")
def info(file: Annotated[str, typer.Argument(metavar="FILE", help="a bzImage")], as_json: Json = False) -> int:
    """Release, builder, version and build number."""
    facts = asdict(_parse(file))
    if as_json:
        document(facts)
    else:
        for key, value in facts.items():
            say(f"{key.replace('_', ' ') + ':':<14}{'none' if value is None else value}")
    return ExitCode.DONE


@app.command("newest")
def newest_of(
    first: Annotated[str, typer.Argument(metavar="FILE", help="a bzImage")],
    second: Annotated[str, typer.Argument(metavar="FILE", help="another one")],
    as_json: Json = False,
) -> int:
    """Path of the kernel with the higher build number, or: same. A file that is no kernel loses."""
    winner = newest(_facts(first), _facts(second))
    path = {Comparison.FIRST: first, Comparison.SECOND: second, Comparison.SAME: None}[winner]
    if as_json:
        document({"newest": path, "same": path is None})
    else:
        say("same" if path is None else path)
    return ExitCode.DONE


def _facts(path: str) -> KernelFacts | None:
    """None for a file that is no kernel."""
    try:
        return _parse(path)
    except BadInput as error:
        say(f"gprov: {error.what}: {'; '.join(error.details())}", err=True, colour="yellow")
        return None


def _parse(path: str) -> KernelFacts:
    try:
        return parse_bzimage(read_start(path, _START))
    except BadInput as error:
        raise BadInput(f"{path}: is not a usable kernel", error.problems) from error
