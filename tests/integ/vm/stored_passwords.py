"""Passwords of a unit, out of the store of the lab's factory server."""

from __future__ import annotations

from contextlib import closing

from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.apps.host.lab.factory_server import key_file
from gprov.apps.host.lab.unit import SERVER, VirtualUnit
from gprov.apps.server.container import server_container
from gprov.apps.server.secrets.password_store import Issue
from gprov.domain.factory.audit import Actor
from gprov.domain.unit.credentials import Credentials


def stored_passwords(unit: VirtualUnit) -> Credentials:
    folder = unit.path(SERVER)
    container = server_container(folder, KeyFile(key_file(folder), folder))
    with closing(container.database()):
        known = container.admin().reveal(unit.spec.serial, Actor("a test"))
    return Issue({password.place.kind: password for password in known}).credentials(with_replaced=True)
