"""``gprov build``: kernels and initramfs."""

from __future__ import annotations

import argparse
import os
import sys

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import BEST_LEVEL, Builds, Initramfs
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.closure import search_path
from gprov.apps.host.initramfs.hostfiles import copy_file, write_file
from gprov.apps.host.initramfs.progress import Progress
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import ExitCode

SUMMARY = "Build a kernel with its initramfs inside, or the initramfs alone, from the distribution's packages."
_BUILDROOT = os.path.join(search_path()[0], "buildroot")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("kernel", "initramfs"))
    parser.add_argument("--flavor", choices=[flavor.value for flavor in Flavor], required=True)
    parser.add_argument("--output", metavar="FILE", required=True, help="written whole or not at all")
    parser.add_argument("--report", action="store_true", help="print what takes how much space")
    parser.add_argument(
        "--level",
        type=int,
        choices=range(1, BEST_LEVEL + 1),
        default=BEST_LEVEL,
        metavar=f"1..{BEST_LEVEL}",
        help="of compression; 9 is fifteen times as fast as the default, and an eighth larger",
    )
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="parallel compilers")
    parser.add_argument(
        "--spec", metavar="FILE", default=os.path.join(_BUILDROOT, "initramfs.toml"), help="freeze specification"
    )
    parser.add_argument(
        "--config", metavar="FILE", default=os.path.join(_BUILDROOT, "kernel/x86_64.config"), help="kernel fragment"
    )
    parser.epilog = "Environment: BUILD_NUMBER (decimal, default 1), GPROV_CACHE (default ~/.cache/gprov)."


def run(args: argparse.Namespace) -> int:
    text = os.environ.get("BUILD_NUMBER") or "1"
    if not (text.isascii() and text.isdecimal()):
        print(f"gprov: BUILD_NUMBER must be a decimal number, is {text!r}", file=sys.stderr)
        return ExitCode.USAGE
    if args.jobs < 1:
        print("gprov: --jobs must be at least 1", file=sys.stderr)
        return ExitCode.USAGE
    progress = Progress(sys.stderr)
    builds = Builds(SystemProcesses(), Cache(default_root(os.environ)), progress)
    initramfs = builds.initramfs(args.spec, Flavor(args.flavor), level=args.level)
    if args.report:
        print(size_report(initramfs))
    if args.what == "initramfs":
        write_file(args.output, initramfs.content)
        print(f"{args.output}: {_mb(len(initramfs.content))} ({_mb(initramfs.raw_size)} unpacked)")
        return ExitCode.DONE
    number = int(text)
    copy_file(builds.kernel(args.config, initramfs, number, args.jobs), args.output)
    size = os.path.getsize(args.output)
    print(f"{args.output}: {_mb(size)}, initramfs {_mb(len(initramfs.content))}, build #{number}")
    return ExitCode.DONE


def size_report(initramfs: Initramfs) -> str:
    """A table of parts and their bytes before compression, largest first."""
    rows = [f"{size:>12,}  {part}" for part, size in initramfs.sizes.items() if size]
    return "\n".join([*rows, f"{initramfs.raw_size:>12,}  archive", f"{len(initramfs.content):>12,}  compressed"])


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
