"""``gprov server import-gprovision``: takes over a factory folder of gprovision."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.settings.listen import base_url

if TYPE_CHECKING:
    from gprov.apps.server.setup.import_gprovision import Row

_NAMES = Branding()


def _server(text: str) -> str:
    try:
        return base_url(text)
    except BadInput as error:
        raise typer.BadParameter("; ".join(each.message for each in error.problems)) from error


def import_gprovision(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="with what gprovision's web server publishes")],
    data: Annotated[str, typer.Option("--data", metavar="DIR", help="the data folder; gprov server init makes one")],
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="gprov's server as units reach it (default: public_url of server.toml)", parser=_server
        ),
    ] = None,
    manuf: Annotated[str, typer.Option(metavar="PATH", help="manufData.json in FOLDER, if there are several")] = "",
    image_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="what names of your images begin with")
    ] = _NAMES.image_prefix,
    as_json: Json = False,
) -> int:
    """Copy what units need, with new URLs, sizes and SHA-256 in manufData.json, and say what was not taken and why.
    FOLDER is not changed, and nothing in DIR is overwritten but templates; a second run does what is missing."""
    from gprov.apps.server.setup.import_gprovision import Import, Verdict

    if not os.path.isdir(data):
        raise typer.BadParameter(f"{data} is no folder: `gprov server init` makes one", param_hint="'--data'")
    work = Import(
        source=os.path.abspath(folder),
        data=os.path.abspath(data),
        server=server or _stated(data),
        manuf=manuf,
        branding=Branding(image_prefix=image_prefix),
    )
    rows = []
    for row in work.run():
        rows.append(row)
        if not as_json:
            say(_line(row), colour="yellow" if row.verdict is Verdict.LEFT else "")
    missing = [row for row in rows if row.needed and row.verdict is Verdict.LEFT]
    if as_json:
        document({"complete": not missing, "files": [_entry(row) for row in rows]})
    else:
        taken = sum(row.verdict is not Verdict.LEFT for row in rows)
        counted = f"{taken} taken, {len(rows) - taken} not taken, {len(missing)} of these needed"
        say(f"{data}: {counted}. Next: `gprov server check --data {data}`", err=True)
    return ExitCode.NEGATIVE if missing else ExitCode.DONE


def _stated(data: str) -> str:
    """The URL in the settings. Raises BadParameter without one, BadInput."""
    from gprov.apps.server.setup.reading import read_small
    from gprov.domain.errors import DeviceMissing
    from gprov.domain.factory.server_settings import SETTINGS_FILE, parse_settings

    path = os.path.join(data, SETTINGS_FILE)
    try:
        url = parse_settings(path, read_small(path)).listen.public_url
    except DeviceMissing:
        url = ""
    if not url:
        raise typer.BadParameter("is needed: public_url is not set in server.toml", param_hint="'--server'")
    return url


def _line(row: Row) -> str:
    target = f" -> {row.target}" if row.target else ""
    return f"{row.verdict.value}: {row.source}{target}{f': {row.reason}' if row.reason else ''}"


def _entry(row: Row) -> dict[str, str | bool]:
    return {
        "verdict": row.verdict.value,
        "source": row.source,
        "target": row.target,
        "reason": row.reason,
        "needed": row.needed,
    }
