"""``gprov appliance``: platform tables."""

from __future__ import annotations

import argparse
import json
import sys

from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.model import Platform
from gprov.domain.platform.table import parse_platform_table

SUMMARY = "Check a platform table (appliance.json), or print the built-in one to start from."


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="every problem of a platform table, with its place")
    check.add_argument("file", metavar="FILE")
    actions.add_parser("default", help="print the built-in platform table")


def run(args: argparse.Namespace) -> int:
    if args.action == "default":
        print(json.dumps({"Variants": [platform_entry(platform) for platform in default_table()]}, indent=2))
        return ExitCode.DONE
    return _check(args.file)


def _check(path: str) -> int:
    """1 if there is any problem, all of which are listed."""
    data = read_user_file(path)
    try:
        platforms = parse_platform_table(path, data)
    except BadInput as error:
        for problem in error.problems:
            print(problem)
        print(f"{path}: {len(error.problems)} problem(s)", file=sys.stderr)
        return ExitCode.NEGATIVE
    for platform in platforms:
        print(_line(platform))
    print(f"{path}: {len(platforms)} platform(s), no problems")
    return ExitCode.DONE


def _line(platform: Platform) -> str:
    raid = "no RAID" if platform.raid_level is None else platform.raid_level.name
    return (
        f"{platform.code_name}: {platform.manufacturer} {platform.product}, model {platform.model_regex!r}, "
        f"{platform.data_disks} x {platform.disk_size / 1e9:.1f} GB, {raid}"
    )
