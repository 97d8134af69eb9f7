"""``gprov``: each subcommand is a module of its own, imported only when it is asked for.

A subcommand module exports ``SUMMARY``, ``configure(parser)`` and ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from gprov import __version__
from gprov.apps.unit.reporting.unexpected import foreseen
from gprov.domain.errors import DeviceFault, DeviceMissing, ExitCode, GprovError
from gprov.domain.formats.shown import plain

# name -> (module, one line for the overview)
COMMANDS = {
    "image": ("gprov.apps.host.cli.image", "names, order, verification and making of images"),
    "kernel": ("gprov.apps.host.cli.kernel", "facts of a kernel file, and which of two is newer"),
    "manuf": ("gprov.apps.host.cli.manuf", "check manufData.json"),
    "appliance": ("gprov.apps.host.cli.appliance", "check a platform table"),
    "smbios": ("gprov.apps.host.cli.smbios", "decode SMBIOS tables"),
    "identify": ("gprov.apps.host.cli.identify", "which platform is this machine?"),
    "build": ("gprov.apps.host.cli.build", "build kernels and initramfs"),
    "server": ("gprov.apps.host.cli.server", "run the factory server"),
    "lab": ("gprov.apps.host.cli.lab", "run units in virtual machines"),
    "simulate": ("gprov.apps.host.cli.simulate", "run the flow on a simulated machine"),
}


class Subcommand(Protocol):
    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 done/valid, 1 negative verdict, 2 usage, 3 environment or device failure."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        return _overview(words)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text
    try:
        with foreseen():
            return _run(words[0], words[1:])
    except GprovError as error:
        report(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(name: str, words: Sequence[str]) -> int:
    try:
        command = cast(Subcommand, importlib.import_module(COMMANDS[name][0]))
        parser = argparse.ArgumentParser(prog=f"gprov {name}", description=command.SUMMARY)
        command.configure(parser)
        code = command.run(parser.parse_args(words))
        print(end="", flush=True)
        return code
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0].replace("_", "-")
        if package in ("", "gprov"):
            raise
        extra = "server" if name == "server" else "tools"
        missing = f"the Python package {package} is not installed; pip install 'gprov[{extra}]' does it"
        raise DeviceMissing(f"gprov {name}", missing) from exc
    except BrokenPipeError:  # the reader of our output has seen enough
        _drop_output()
        return ExitCode.DONE
    except OSError as exc:
        if exc.filename is not None:
            raise DeviceFault(str(exc.filename), str(exc.strerror), errno=exc.errno) from exc
        _drop_output()
        raise DeviceFault("output", f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


def _drop_output() -> None:
    """What is still in the buffer would fail once more when the interpreter ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def report(error: GprovError) -> None:
    """One sentence, then the details, on standard error."""
    print(plain(f"gprov: {error}"), file=sys.stderr)
    details = error.details()
    if len(details) > 1 or (details and details[0] not in str(error)):
        for line in details:
            print(f"  {plain(line)}", file=sys.stderr)


def _overview(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gprov",
        description="Provision, restore and erase Linux appliances.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:<10} {line}" for name, (_, line) in COMMANDS.items()),
    )
    parser.add_argument("--version", action="version", version=f"gprov {__version__}")
    parser.add_argument("command", choices=sorted(COMMANDS), metavar="COMMAND")
    parser.parse_args(words)
    return ExitCode.USAGE


if __name__ == "__main__":
    sys.exit(main())
