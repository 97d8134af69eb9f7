"""``gprov image tools``, ``netsave`` and ``boot-good``: programs for the running system of an image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.domain.errors import BadInput, ExitCode, Problem

if TYPE_CHECKING:
    from gprov.domain.branding import Branding

BrandingFile = Annotated[
    str | None, typer.Option("--branding", metavar="FILE", help="JSON or TOML file with names that differ")
]
WithUpdate = Annotated[
    bool, typer.Option("--update", help="with gprov-update, the agent for updates; a .deb then holds it alone")
]
Root = Annotated[str, typer.Option("--root", metavar="DIR", help="folder that holds the root file system")]
_DATE_VARIABLE = "SOURCE_DATE_EPOCH"


def attach_tools(app: typer.Typer) -> None:
    """Add the commands to those of ``gprov image``."""
    app.command("tools")(tools)
    app.command("netsave")(netsave)
    app.command("boot-good")(boot_good)


def tools(
    root: Annotated[str | None, typer.Option(metavar="DIR", help="put them into this root file system")] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="write them to a package: NAME.tar.xz or NAME.deb (or --root)")
    ] = None,
    update: WithUpdate = False,
    branding: BrandingFile = None,
    as_json: Json = False,
) -> int:
    """Tools for the running system of a unit, as a package or into a root file system."""
    from gprov.apps.host.image.tool_sets import ALL_TOOLS, TOOLS_AND_UPDATE
    from gprov.apps.host.image.update_needs import paths_of_folder, require_update_needs

    names = product_names(branding)
    if root is not None and output is None:
        chosen = TOOLS_AND_UPDATE if update else ALL_TOOLS
        if update:
            require_update_needs(root, paths_of_folder(root))
        return _shown(chosen.install(root, names), as_json=as_json)
    if output is None or root is not None:
        raise typer.BadParameter("give one of the two", param_hint="'--root' / '--output'")
    _write(output, names, update=update)
    return _shown((output,), as_json=as_json)


def netsave(root: Root, as_json: Json = False) -> int:
    """Put gprov-netsave into a root file system: units keep their network configuration."""
    from gprov.apps.host.image.tool_sets import NETSAVE

    return _shown(NETSAVE.install(root), as_json=as_json)


def boot_good(root: Root, as_json: Json = False) -> int:
    """Put gprov-boot-good into a root file system: units report that their system is up."""
    from gprov.apps.host.image.tool_sets import BOOT_GOOD

    return _shown(BOOT_GOOD.install(root), as_json=as_json)


def product_names(file: str | None) -> Branding:
    """The names in a file, or the default. Raises DeviceMissing, DeviceFault, BadInput."""
    from gprov.apps.host.cli.userfile import read_user_file
    from gprov.domain.branding import Branding
    from gprov.domain.branding_file import parse_branding

    return Branding() if file is None else parse_branding(file, read_user_file(file))


def _write(path: str, names: Branding, *, update: bool) -> None:
    from gprov.apps.host.image.tool_package import TOOLS_PACKAGE, UPDATE_PACKAGE, tool_archive, tool_package
    from gprov.apps.host.image.tool_sets import ALL_TOOLS, TOOLS_AND_UPDATE
    from gprov.apps.host.initramfs.hostfiles import write_file

    if path.endswith(".tar.xz"):
        content = tool_archive(TOOLS_AND_UPDATE if update else ALL_TOOLS, names, _date())
    elif path.endswith(".deb"):
        content = tool_package(UPDATE_PACKAGE if update else TOOLS_PACKAGE, names, _date())
    else:
        raise typer.BadParameter(f"must end in .tar.xz or .deb, is {path}", param_hint="'--output'")
    write_file(path, content)
    os.chmod(path, 0o644)


def _date() -> int:
    """Of all files in a package (reproducible-builds.org, SOURCE_DATE_EPOCH). Without the variable, a fixed one."""
    text = os.environ.get(_DATE_VARIABLE, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise BadInput(_DATE_VARIABLE, [Problem("", f"must be seconds of Unix time, is {text[:40]!r}")])
    return int(text)


def _shown(paths: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        document({"paths": list(paths)})
    else:
        for path in paths:
            say(path)
    return ExitCode.DONE
