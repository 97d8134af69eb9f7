"""What Buildroot calls of gprov's builder: ``python3 -m gprov.apps.host.initramfs.for_buildroot ACTION``.

``freeze`` makes an initramfs of the tree that Buildroot installed. ``write-config`` combines the kernel's configuration
of base and fragments, and ``check-config`` compares it with what Kconfig made of it. buildroot/external.mk calls them
with Buildroot's Python for the host. That one has no typer, hence argparse. Exit status as of ``gprov build``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import collect
from gprov.apps.host.initramfs.cpio import archive
from gprov.apps.host.initramfs.hostfiles import read_text, write_file
from gprov.apps.host.initramfs.kconfig import Setting, check_options_applied, parse_config, serialise_config
from gprov.apps.host.initramfs.kernel_settings import configuration, shipped_choice
from gprov.apps.host.initramfs.kernel_source import known_symbols
from gprov.apps.host.initramfs.parts import report_lines
from gprov.apps.host.initramfs.sources import PYTHON, SourceSystem, buildroot_tree
from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from gprov.domain.errors import BadInput, GprovError, Problem
from gprov.ports.process import Processes

# Buildroot embeds an archive of its own name.
_OF_BUILDROOT = ("CONFIG_INITRAMFS_SOURCE",)


def main(arguments: Sequence[str], processes: Processes) -> int:
    given = _parser().parse_args(arguments)
    try:
        if given.action == "freeze":
            print(*freeze(given, processes), sep="\n")
        elif given.action == "write-config":
            write_file(given.output, serialise_config(_kernel_settings(given.kernel)).encode())
        else:
            _check_config(given.kernel, given.config, given.source)
    except GprovError as error:
        print(f"gprov: {error}", *error.details(), sep="\n  ", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="for_buildroot", description="Initramfs and kernel configuration.")
    actions = parser.add_subparsers(dest="action", required=True)
    freeze_action = actions.add_parser("freeze", help="make an initramfs of a tree")
    freeze_action.add_argument("--root", required=True, metavar="DIR", help="the tree")
    freeze_action.add_argument("--grub", required=True, metavar="DIR", help="GRUB's modules for i386-pc, on the host")
    freeze_action.add_argument("--names", required=True, metavar="FILE", help="names.toml")
    freeze_action.add_argument("--spec", required=True, metavar="FILE", help="freeze specification")
    freeze_action.add_argument("--flavor", required=True, type=Flavor, choices=list(Flavor))
    freeze_action.add_argument("--output", required=True, metavar="FILE", help="cpio archive, not compressed")
    kernel = "folder with kernel.toml, x86_64.config and fragments"
    write = actions.add_parser("write-config", help="write the kernel's configuration")
    write.add_argument("--kernel", required=True, metavar="DIR", help=kernel)
    write.add_argument("--output", required=True, metavar="FILE", help="for KCONFIG_ALLCONFIG")
    check = actions.add_parser("check-config", help="report what Kconfig did not apply")
    check.add_argument("--kernel", required=True, metavar="DIR", help=kernel)
    check.add_argument("--config", required=True, metavar="FILE", help="the kernel's .config")
    check.add_argument("--source", required=True, metavar="DIR", help="the kernel's source")
    return parser


def freeze(given: argparse.Namespace, processes: Processes) -> list[str]:
    """Write the archive and return the lines of a report. Raises as ``gprov.apps.host.initramfs.builds.collect``."""
    system = buildroot_tree(given.root, given.grub, read_text(given.names), given.names)
    spec = parse_spec(read_text(given.spec), given.flavor, given.spec)
    tree = collect(spec, os.path.dirname(given.spec), module_folders(system), processes, system)
    write_file(given.output, archive(tree.finish()))
    return report_lines(tree.sizes())


def module_folders(system: SourceSystem) -> tuple[str, ...]:
    """Where the tree's interpreter finds modules, as paths of the host."""
    library = f"{system.root}/usr/lib/{PYTHON}"
    return (library, f"{library}/lib-dynload", f"{library}/site-packages")


def _check_config(folder: str, config: str, source: str) -> None:
    settings = _kernel_settings(folder)
    wanted = {symbol: setting for symbol, setting in settings.items() if symbol not in _OF_BUILDROOT}
    check_options_applied(wanted, parse_config(read_text(config), config), known_symbols(source))


def _kernel_settings(folder: str) -> Mapping[str, Setting]:
    """Refuses what the external tree does not pack: modules and firmware."""
    choice = shipped_choice(folder)
    chosen = {"modules": choice.settings.modules, "firmware": bool(choice.settings.firmware)}
    problems = [Problem(key, "is not supported with Buildroot") for key, value in chosen.items() if value]
    if problems:
        raise BadInput(os.path.join(folder, "kernel.toml"), problems)
    return configuration(choice).settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], SystemProcesses()))
