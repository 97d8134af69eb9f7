"""The freeze of a tree that Buildroot installed: ``python3 -m gprov.apps.host.initramfs.from_tree``.

buildroot/package/gprov/gprov.mk calls it with Buildroot's Python for the host. That one has no typer, hence argparse.
Exit status as of ``gprov build``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import collect
from gprov.apps.host.initramfs.cpio import archive
from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.initramfs.parts import report_lines
from gprov.apps.host.initramfs.sources import PYTHON, SourceSystem, buildroot_tree
from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from gprov.domain.errors import GprovError
from gprov.ports.process import Processes


def main(arguments: Sequence[str], processes: Processes) -> int:
    parser = argparse.ArgumentParser(prog="from_tree", description="Make an initramfs of a tree of Buildroot.")
    parser.add_argument("--root", required=True, metavar="DIR", help="the tree")
    parser.add_argument("--grub", required=True, metavar="DIR", help="GRUB's modules for i386-pc, on the host")
    parser.add_argument("--names", required=True, metavar="FILE", help="what Buildroot calls packages and files")
    parser.add_argument("--spec", required=True, metavar="FILE", help="freeze specification")
    parser.add_argument("--flavor", required=True, type=Flavor, choices=list(Flavor))
    parser.add_argument("--output", required=True, metavar="FILE", help="cpio archive, not compressed")
    given = parser.parse_args(arguments)
    try:
        names = read_file(given.names).decode()
        system = buildroot_tree(given.root, given.grub, names, given.names)
        spec = parse_spec(read_file(given.spec).decode(), given.flavor, given.spec)
        tree = collect(spec, os.path.dirname(given.spec), module_folders(system), processes, system)
        write_file(given.output, archive(tree.finish()))
    except GprovError as error:
        print(f"gprov: {error}", *error.details(), sep="\n  ", file=sys.stderr)
        return error.exit_code
    print(*report_lines(tree.sizes()), sep="\n")
    return 0


def module_folders(system: SourceSystem) -> tuple[str, ...]:
    """Where the tree's interpreter finds modules, as paths of the host."""
    library = f"{system.root}/usr/lib/{PYTHON}"
    return (library, f"{library}/lib-dynload", f"{library}/site-packages")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], SystemProcesses()))
