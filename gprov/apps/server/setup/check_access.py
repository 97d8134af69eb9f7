"""Checks of who may do what."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sqlalchemy import func, select

from gprov.apps.server.setup.hints import own_command
from gprov.apps.server.store.database import open_existing
from gprov.apps.server.store.tables import accounts
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.factory.server_settings import SETTINGS_FILE, ServerSettings
from gprov.domain.factory.settings.access import AccessMode
from gprov.domain.factory.setup.finding import Finding, problem, warning


def access_findings(folder: str, settings: ServerSettings, key_file: str = "") -> Iterator[Finding]:
    """``key_file``: of the store, "" for the usual one."""
    path = os.path.join(folder, SETTINGS_FILE)
    match settings.access.mode:
        case AccessMode.UNDECIDED:
            remedy = 'set mode in [access] to "accounts" or "isolated"; docs/explanation/server-access.md'
            yield problem(path, "does not say who may do what: the server does not start", remedy)
        case AccessMode.ISOLATED:
            message = "isolated network: a unit is known by its serial number alone, and everyone reads but passwords"
            yield warning(path, message)
        case AccessMode.ACCOUNTS:
            yield from _accounts(folder, settings, key_file)


def _accounts(folder: str, settings: ServerSettings, key_file: str) -> Iterator[Finding]:
    try:
        with open_existing(folder, settings.store.database) as db:
            count = db.execute(select(func.count()).select_from(accounts)).scalar_one()
    except DeviceMissing:
        count = 0  # the first command that needs a store makes it
    except DeviceFault as fault:
        yield warning(fault.subject, f"{fault.reason}: accounts were not checked", "run the check as the server's user")
        return
    if not count:
        remedy = own_command("gprov server account add NAME --role manage", folder, key_file)
        yield warning(folder, "there is no account: no person can sign in", remedy)
