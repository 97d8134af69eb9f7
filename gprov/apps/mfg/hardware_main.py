"""``gprov-hardware``, a command of the provisioning initramfs: ``gprov hardware`` without the packages of a host.

Exit status: ``ExitCode``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from gprov.apps.mfg.hardware_tool import HardwareTool
from gprov.apps.mfg.main import container_for
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.network.server_trust import trust_log_server
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.errors import ExitCode, GprovError, NetworkFault
from gprov.domain.formats.printable import printable_text
from gprov.domain.mfg.difference import difference_text
from gprov.domain.mfg.manuf import MAX_DOCUMENT, parse_specifications
from gprov.domain.mfg.urls import redacted
from gprov.domain.unit.trust import is_encrypted

_OK = 200


def run_tool(words: Sequence[str], unit: UnitContainer) -> int:
    """Raises SystemExit for help and wrong usage."""
    options = _parser().parse_args(list(words))
    try:
        with unexpected_errors_translated():
            return _run(options, unit)
    except GprovError as error:
        _warn(str(error))
        for line in error.details():
            _warn(f"  {line}")
        return error.exit_code


def _run(options: argparse.Namespace, unit: UnitContainer) -> int:
    container = container_for(unit)
    tool = HardwareTool(container.hardware_ports(), container.platforms(), container.branding(), _warn)
    code_name: str = options.code_name
    if options.command == "dump":
        print(tool.dump(code_name, options.recovery), end="")
        return ExitCode.DONE
    source: str = options.manuf
    differences = tool.compare(parse_specifications(redacted(source), _content(source, unit)), code_name)
    for difference in differences:
        for line in difference_text(difference).splitlines():
            print(printable_text(line))
    _warn(f"{len(differences)} difference(s)")
    return ExitCode.NEGATIVE if differences else ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gprov-hardware", description="The hardware of this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    dump = commands.add_parser("dump", help="print it as an entry of ValidationData")
    dump.add_argument("--recovery", metavar="DISK", default="", help="the disk that is RECOVERY, such as sdb")
    compare = commands.add_parser("compare", help="print every difference; exit status 1 if there is any")
    compare.add_argument("--manuf", metavar="FILE-OR-URL", required=True, help="a manufData.json")
    for command in (dump, compare):
        command.add_argument("--code-name", metavar="NAME", default="", help="default: of the platform that matches")
    return parser


def _content(source: str, unit: UnitContainer) -> bytes:
    if not source.lower().startswith(("http://", "https://")):
        return unit.files().read(source)
    if is_encrypted(source):
        arguments = parse_boot_arguments(os.environ, unit.branding())
        trust_log_server(unit.trust_ports(), source, None, replace(unit.context(), arguments=arguments))
    reply = unit.http().request("GET", source, limit=MAX_DOCUMENT)
    if reply.status != _OK:
        raise NetworkFault(redacted(source), f"status {reply.status}")
    return reply.body


def _warn(text: str) -> None:
    print(f"gprov-hardware: {printable_text(text)}", file=sys.stderr)
