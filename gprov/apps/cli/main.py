"""``gprov``: each subcommand is a module of its own, imported only when it is asked for.

A subcommand module exports ``SUMMARY``, ``configure(parser)`` and ``run(args) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from gprov.domain.errors import ExitCode, GprovError

# name -> (module, one line for the overview)
COMMANDS = {
    "image": ("gprov.apps.cli.image", "names, order, verification and making of images"),
    "kernel": ("gprov.apps.cli.kernel", "facts of a kernel file, and which of two is newer"),
    "manuf": ("gprov.apps.cli.manuf", "check manufData.json"),
    "appliance": ("gprov.apps.cli.appliance", "check a platform table"),
    "smbios": ("gprov.apps.cli.smbios", "decode SMBIOS tables"),
    "identify": ("gprov.apps.cli.identify", "which platform is this machine?"),
    "build": ("gprov.apps.cli.build", "build kernels and initramfs"),
    "server": ("gprov.apps.cli.server", "run the factory server"),
    "lab": ("gprov.apps.cli.lab", "run units in virtual machines"),
    "simulate": ("gprov.apps.cli.simulate", "run the flow on a simulated machine"),
}


class Subcommand(Protocol):
    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 done/valid, 1 negative verdict, 2 usage, 3 environment or device failure."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if not word.startswith("-")), None)
    if name not in COMMANDS:
        return _overview(words)
    command = cast(Subcommand, importlib.import_module(COMMANDS[name][0]))
    parser = argparse.ArgumentParser(prog=f"gprov {name}", description=command.SUMMARY)
    command.configure(parser)
    args = parser.parse_args(words[words.index(name) + 1 :])
    try:
        return command.run(args)
    except GprovError as error:
        report(error)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return ExitCode.DONE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def report(error: GprovError) -> None:
    """One sentence, then the details, on standard error."""
    print(f"gprov: {error}", file=sys.stderr)
    details = error.details()
    if len(details) > 1 or (details and details[0] not in str(error)):
        for line in details:
            print(f"  {line}", file=sys.stderr)


def _overview(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gprov",
        description="Provision, restore and erase Linux appliances.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:<10} {line}" for name, (_, line) in COMMANDS.items()),
    )
    parser.add_argument("command", choices=sorted(COMMANDS), metavar="COMMAND")
    parser.parse_args(words)
    return ExitCode.USAGE


if __name__ == "__main__":
    sys.exit(main())
