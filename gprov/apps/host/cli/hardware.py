"""``gprov hardware``: the hardware of this machine as a specification, or against one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.http_client import CaFile
from gprov.apps.host.cli.manuf import manuf_content
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_platforms
from gprov.domain.branding import Branding
from gprov.domain.errors import ExitCode
from gprov.domain.mfg.difference import difference_text
from gprov.domain.mfg.manuf import parse_specifications
from gprov.domain.mfg.urls import redacted
from gprov.domain.unit.trust import is_encrypted

if TYPE_CHECKING:
    from gprov.apps.mfg.hardware_tool import HardwareTool

app = new_app("The hardware of this machine, as root: other users do not get all of it.")

Platforms = Annotated[
    str | None,
    typer.Option("--platforms", metavar="FILE", help="platform table (default: the built-in virtual machines)"),
]
CodeName = Annotated[
    str, typer.Option("--code-name", metavar="NAME", help="DevCodeName (default: of the platform that matches)")
]
MacPrefix = Annotated[
    str, typer.Option("--mac-prefix", metavar="PREFIX", help="of the brand's interfaces, which NumOUINics counts")
]
_NAMES = Branding()


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("dump")
def dump(
    recovery: Annotated[
        str,
        typer.Option(
            metavar="DISK",
            help="the disk that is RECOVERY, such as sdb (default: by its label, or else a USB disk, or the smallest)",
        ),
    ] = "",
    recovery_label: Annotated[
        str, typer.Option(metavar="LABEL", help="of the volume RECOVERY, if the machine is a provisioned unit")
    ] = _NAMES.recovery_label,
    platforms: Platforms = None,
    code_name: CodeName = "",
    mac_prefix: MacPrefix = _NAMES.mac_prefix,
) -> int:
    """Print an entry of ValidationData, JSON, that fits this machine exactly: to copy into manufData.json."""
    branding = replace(_NAMES, mac_prefix=mac_prefix, recovery_label=recovery_label)
    print(_tool(platforms, branding).dump(code_name, recovery), end="")
    return ExitCode.DONE


@app.command("compare")
def compare(
    manuf: Annotated[str, typer.Option(metavar="FILE-OR-URL", help="a manufData.json")],
    platforms: Platforms = None,
    code_name: CodeName = "",
    mac_prefix: MacPrefix = _NAMES.mac_prefix,
    ca: CaFile = None,
    as_json: Json = False,
) -> int:
    """Print every difference of this machine from its entry of ValidationData. Exit status 1 if there is any."""
    if ca is not None and not is_encrypted(manuf):
        raise typer.BadParameter("belongs to https URLs", param_hint="'--ca'")
    specs = parse_specifications(redacted(manuf), manuf_content(manuf, ca))
    differences = _tool(platforms, replace(_NAMES, mac_prefix=mac_prefix)).compare(specs, code_name)
    if as_json:
        rows = [{"place": one.place, "required": one.required, "detected": one.detected} for one in differences]
        document({"source": redacted(manuf), "differences": rows})
    else:
        for one in differences:
            for line in difference_text(one).splitlines():
                say(line)
        say(f"{redacted(manuf)}: {len(differences)} difference(s)", err=bool(differences))
    return ExitCode.NEGATIVE if differences else ExitCode.DONE


def _tool(platforms: str | None, branding: Branding) -> HardwareTool:
    from gprov.apps.mfg.container import MfgContainer
    from gprov.apps.mfg.hardware_tool import HardwareTool

    ports = MfgContainer().hardware_ports()
    return HardwareTool(
        ports, read_platforms(platforms), branding, lambda text: say(f"gprov: {text}", err=True, colour="yellow")
    )
