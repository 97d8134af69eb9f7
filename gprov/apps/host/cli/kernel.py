"""``gprov kernel``: facts of a kernel file, and which of two is newer."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from gprov.apps.host.cli.userfile import read_start
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.formats.bzimage import Comparison, KernelFacts, newest, parse_bzimage
from gprov.domain.formats.shown import plain

SUMMARY = "Facts in the header of a kernel file, and which of two kernels is newer."
_START = 64 << 10


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="release, builder, version and build number")
    info.add_argument("file", metavar="FILE")
    info.add_argument("--json", action="store_true")
    pair = actions.add_parser("newest", help="path of the kernel with the higher build number, or: same")
    pair.add_argument("first", metavar="FILE")
    pair.add_argument("second", metavar="FILE")


def run(args: argparse.Namespace) -> int:
    if args.action == "info":
        return _info(args.file, args.json)
    return _newest(args.first, args.second)


def _info(path: str, as_json: bool) -> int:
    facts = _parse(path)
    if as_json:
        print(json.dumps(asdict(facts), indent=2))
    else:
        for key, value in asdict(facts).items():
            print(f"{key.replace('_', ' ') + ':':<14}{'none' if value is None else plain(str(value))}")
    return ExitCode.DONE


def _newest(first: str, second: str) -> int:
    winner = newest(_facts(first), _facts(second))
    print(plain({Comparison.FIRST: first, Comparison.SECOND: second, Comparison.SAME: "same"}[winner]))
    return ExitCode.DONE


def _facts(path: str) -> KernelFacts | None:
    """None for a file that is no kernel: it loses."""
    try:
        return _parse(path)
    except BadInput as error:
        print(plain(f"gprov: {error.what}: {'; '.join(error.details())}"), file=sys.stderr)
        return None


def _parse(path: str) -> KernelFacts:
    try:
        return parse_bzimage(read_start(path, _START))
    except BadInput as error:
        raise BadInput(f"{path}: is not a usable kernel", error.problems) from error
