"""``gprov manuf``: what the factory serves to units."""

from __future__ import annotations

import argparse
import sys

from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, ExitCode, NetworkFault
from gprov.domain.mfg.files import destination
from gprov.domain.mfg.manuf import ManufData, parse_manuf
from gprov.domain.mfg.urls import redacted
from gprov.domain.platform.table import parse_platform_table

SUMMARY = "Check manufData.json: every problem with its JSON path, and what is legal but deserves a look."


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="every problem of a manufData.json")
    check.add_argument("source", metavar="FILE-OR-URL")
    check.add_argument(
        "--appliance", metavar="FILE-OR-URL", help="platform table (appliance.json) that must know every code name"
    )
    check.add_argument("--image-prefix", metavar="PREFIX", help="what names of your images begin with")
    check.add_argument("--boot-kernel", metavar="NAME", help="what your boot kernel is called")


def run(args: argparse.Namespace) -> int:
    """1 if there is any problem, all of which are listed."""
    code_names = None
    try:
        if args.appliance is not None:
            table = parse_platform_table(redacted(args.appliance), _content(args.appliance))
            code_names = [platform.code_name for platform in table]
        branding = _branding(args)
        manuf = parse_manuf(redacted(args.source), _content(args.source), branding, code_names)
    except BadInput as error:
        for problem in error.problems:
            print(problem)
        print(f"{error.what}: {len(error.problems)} problem(s)", file=sys.stderr)
        return ExitCode.NEGATIVE
    _report(redacted(args.source), manuf, branding)
    return ExitCode.DONE


def _branding(args: argparse.Namespace) -> Branding:
    usual = Branding()
    return Branding(
        image_prefix=args.image_prefix or usual.image_prefix, boot_kernel=args.boot_kernel or usual.boot_kernel
    )


def _report(what: str, manuf: ManufData, branding: Branding) -> None:
    for file in manuf.files:
        print(f"{file.describe()} -> {destination(file, branding, uefi=True).path}")
    for spec in manuf.validation:
        steps = len(manuf.steps_for(spec.code_name).steps)
        sets = len(spec.main_disks)
        print(f"{spec.code_name}: RECOVERY {spec.recovery.describe()}; {sets} disk set(s); {steps} step(s)")
    for warning in manuf.warnings:
        print(f"warning: {warning}")
    print(f"{what}: no problems, {len(manuf.warnings)} warning(s)")


def _content(source: str) -> bytes:
    """Of a file, or of what a web server answers. Raises DeviceMissing, DeviceFault, NetworkFault."""
    if not source.lower().startswith(("http://", "https://")):
        return read_user_file(source)
    from gprov.adapters.linux.net.http import RequestsHttp
    from gprov.adapters.linux.system.clock import SystemClock

    reply = RequestsHttp(SystemClock()).request("GET", source)
    if reply.status != 200:
        raise NetworkFault(redacted(source), f"answered with status {reply.status}")
    return reply.body
