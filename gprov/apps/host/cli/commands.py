"""The commands of ``gprov``, each a module of its own that is imported only when it is asked for, and how one is run.

A module of a command has a function ``attach(root, name)``, which adds the command to the Typer application ``root``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

import typer
from typer.main import get_command

from gprov import __version__
from gprov.apps.host.cli.options import HELP_OPTIONS, new_app
from gprov.apps.host.cli.output import say

# Set by the completion scripts of Typer; the words so far are in one of the others (bash; zsh and fish).
_COMPLETING = "_GPROV_COMPLETE"
_COMPLETED_WORDS = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
_SUMMARY = "Provision and restore Linux appliances."


@dataclass(frozen=True, slots=True)
class Command:
    """``summary``: one line for the overview. ``default``: the action that is meant if options follow at once."""

    module: str
    summary: str
    default: str = ""


COMMANDS = {
    "image": Command("image", "names, order, verification and making of images"),
    "keys": Command("keys", "keys that sign images, and the trust chain of units"),
    "kernel": Command("kernel", "facts of a kernel file, and which of two is newer"),
    "update": Command("update", "bundles of images for update servers"),
    "manuf": Command("manuf", "check and sign manufData.json"),
    "appliance": Command("appliance", "check a platform table"),
    "smbios": Command("smbios", "decode SMBIOS tables"),
    "identify": Command("identify", "which platform is this machine?"),
    "hardware": Command("hardware", "this machine's hardware as a specification, or against one"),
    "build": Command("build", "build kernels and initramfs"),
    "server": Command("server", "run the factory server", default="run"),
    "takeover": Command("takeover", "what gprov does with a unit of gprovision"),
    "erase": Command("erase", "erase disks of this machine; issue, verify and print certificates"),
    "lcd": Command("lcd", "a simulated display with keys on a pseudo-terminal or socket"),
    "lab": Command("lab", "run units in virtual machines"),
    "explain": Command("explain", "what a text that a unit has shown means, and what to do"),
    "simulate": Command("simulate", "run the flow on a simulated machine"),
}


class CommandModule(Protocol):
    def attach(self, root: typer.Typer, name: str) -> None: ...


def run(words: Sequence[str]) -> int:
    """Run the command that the words ask for; returns its exit status. Raises SystemExit for help and wrong usage."""
    if os.environ.get(_COMPLETING):
        get_command(_root(_completed_command()))(prog_name="gprov")
    words = _with_default(words)
    command = get_command(_root(words[0] if words and words[0] in COMMANDS else ""))
    try:
        with command.make_context("gprov", list(words)) as context:
            return int(command.invoke(context))
    except typer.Exit as ended:
        raise SystemExit(ended.exit_code) from ended
    except typer.TyperException as error:
        _explain(error, getattr(error, "ctx", None))
        raise SystemExit(error.exit_code) from error


def _explain(error: typer.TyperException, context: typer.Context | None) -> None:
    """``context``: of the command whose options were wrong."""
    if context is not None:
        say(" ".join(context.get_usage().split()), err=True)
    name = "gprov" if context is None else context.command_path
    # Typer puts "Value error, " in front of a word that is none of a choice.
    message = error.format_message().replace("Value error, ", "")
    if message == "Missing command.":
        message = f"no command is named; `{name} --help` lists them"
    say(f"{name}: error: {message}", err=True, colour="red")


def _root(loaded: str) -> typer.Typer:
    """The application with all commands. Only the one called ``loaded`` is imported; the others have a name and a
    summary, which is enough for the overview. With ``loaded`` "" it has options of its own: they stand in front of a
    command, and checking them would cost imports whenever a command is run."""
    app = new_app(_SUMMARY, completion=not loaded or _COMPLETING in os.environ)
    if not loaded:
        app.callback()(_options)
    for name, command in COMMANDS.items():
        if name == loaded:
            attach(app, name)
        else:
            app.command(name, help=command.summary)(_not_loaded)
    return app


def whole_application() -> typer.Typer:
    """Return the application with its own options and every command imported: what manuals are made from."""
    app = new_app(_SUMMARY, completion=True)
    app.callback()(_options)
    for name in COMMANDS:
        attach(app, name)
    return app


def attach(root: typer.Typer, name: str) -> None:
    """Import the command with this name, and add it."""
    module = importlib.import_module(f"gprov.apps.host.cli.{COMMANDS[name].module}")
    cast(CommandModule, module).attach(root, name)


def _not_loaded() -> None:
    """In place of a command that is not run."""


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gprov {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and exit", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Provision and restore Linux appliances."""


def _with_default(words: Sequence[str]) -> Sequence[str]:
    """``gprov server --data DIR`` means ``gprov server run --data DIR``."""
    command = COMMANDS.get(words[0]) if words else None
    if command is None or not command.default or not words[1:]:
        return words
    if words[1].startswith("-") and words[1] not in HELP_OPTIONS:
        return (words[0], command.default, *words[1:])
    return words


def _completed_command() -> str:
    words = next((os.environ[name] for name in _COMPLETED_WORDS if name in os.environ), "").split()
    return words[1] if len(words) > 1 else ""
