"""``gprov erase``: certificates of erased machines."""

from __future__ import annotations

import typer

from gprov.apps.host.cli import erase_certificate
from gprov.apps.host.cli.options import new_app

app = new_app("Erase certificates: issue, verify, print.")
erase_certificate.attach(app)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)
