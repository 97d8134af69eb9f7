"""``gprov erase``: erase disks of this machine; certificates of erased machines."""

from __future__ import annotations

import typer

from gprov.apps.host.cli import erase_certificate, erase_plan, erase_run
from gprov.apps.host.cli.options import new_app

app = new_app("Erase disks: plan, run. Erase certificates: issue, verify, print.")
erase_plan.attach(app)
erase_run.attach(app)
erase_certificate.attach(app)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)
