"""``gprov simulate``: the life of a unit on a simulated machine, in a second; scripts of what may happen to one; power
cut at thousands of places."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app, one_of, words_for_completion
from gprov.apps.host.cli.userfile import chosen_platform, read_platforms, read_user_file
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.platform.model import RaidLevel

app = new_app("Provision, restore and boot a simulated machine; cut its power anywhere; replay scripts.")

_DISKS = ("sata", *(f"raid{level.value}" for level in RaidLevel))
# What cuts are tried on by default.
_CUT_DISKS = ("sata", "raid1")
_CUTS = 10_000
_NIGHTLY = 200_000


def _disks(text: str) -> str:
    return one_of(_DISKS)(text)


Seed = Annotated[int, typer.Option("--seed", metavar="N", help="of the simulated machine's randomness")]
_ONE_OF_DISKS = "|".join(_DISKS)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("lifecycle")
def lifecycle(
    seed: Seed = 0,
    disks: Annotated[
        str | None,
        typer.Option(
            metavar=_ONE_OF_DISKS,
            help="one data disk, or the disks of an array (default: sata, or those of --platform)",
            parser=_disks,
            autocompletion=words_for_completion(_DISKS),
        ),
    ] = None,
    firmware: Annotated[FirmwareKind, typer.Option(help="of the machine")] = FirmwareKind.UEFI,
    platforms: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="platform table of your units (default: the built-in virtual machines)"),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="CODENAME", help="which platform of that table the machine is")
    ] = None,
    branding: Annotated[
        str | None, typer.Option(metavar="FILE", help="your names: fields of a branding as JSON, or TOML (*.toml)")
    ] = None,
    as_json: Json = False,
) -> int:
    """Provision, restore, boot; prints plan and events. Exit status 1 if a stage does not end as it should."""
    if disks is not None and (platforms is not None or platform is not None):
        raise typer.BadParameter("is decided by the platform", param_hint="'--disks'")
    model = None
    if platforms is not None or platform is not None:
        model = chosen_platform(read_platforms(platforms), platform)
    names = Branding() if branding is None else parse_branding(branding, read_user_file(branding))
    from gprov.apps.host.cli import simulate_runs
    from gprov.apps.host.simulation.machine_shapes import platform_of
    from gprov.apps.host.simulation.new_worlds import world_of

    return simulate_runs.lifecycle(
        world_of(model or platform_of(disks or "sata"), names, firmware, seed), as_json=as_json
    )


@app.command("replay")
def replay(
    script: Annotated[str, typer.Argument(metavar="FILE", help="a script (docs/how-to/simulation.md)")],
    as_json: Json = False,
) -> int:
    """Replay a script step by step. Exit status 1 if an invariant is broken."""
    text = read_user_file(script).decode("utf-8", "replace")
    from gprov.apps.host.cli import simulate_runs

    return simulate_runs.replay(script, text, as_json=as_json)


@app.command("cuts")
def cuts(
    seed: Annotated[int, typer.Option(metavar="N", help="of the random choices at each cut")] = 0,
    count: Annotated[int | None, typer.Option(metavar="N", help=f"cuts in all (default {_CUTS})", min=0)] = None,
    nightly: Annotated[bool, typer.Option("--nightly", help=f"{_NIGHTLY} cuts, on all kinds of arrays")] = False,
    firmware: Annotated[
        list[FirmwareKind] | None, typer.Option(help="only this one (default: both); may be repeated")
    ] = None,
    disks: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_ONE_OF_DISKS,
            help="only these (default: sata and raid1); may be repeated",
            parser=_disks,
            autocompletion=words_for_completion(_DISKS),
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Cut the power of provisioning, restores and erases everywhere; prints what survived.

    Exit status 1 if a unit is lost."""
    from gprov.apps.host.cli import simulate_runs

    wanted = simulate_runs.CutsRequest(
        seed=seed,
        count=count if count is not None else _NIGHTLY if nightly else _CUTS,
        firmware=tuple(firmware or FirmwareKind),
        disks=tuple(disks or (_DISKS if nightly else _CUT_DISKS)),
    )
    return simulate_runs.cuts(wanted, as_json=as_json)
