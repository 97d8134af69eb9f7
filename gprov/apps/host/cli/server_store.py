"""Opening the store of a factory server for a command; a server may be running meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gprov.apps.host.cli.server_keys import KeySource, provider
from gprov.domain.errors import BadInput
from gprov.domain.factory.audit import Actor

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gprov.apps.server.container import ServerContainer


@contextmanager
def opened(data: str, source: KeySource) -> Iterator[ServerContainer]:
    """The services on an existing data folder; errors name the folder. Raises DeviceMissing (a folder that was misspelt
    is not made)."""
    from gprov.apps.server.container import server_container

    with existing(data):
        pass
    container = server_container(data, provider(source, data))
    with closing(container.database()):
        try:
            yield container
        except BadInput as error:
            raise BadInput(data if error.what == "serial" else error.what, error.problems) from error


@contextmanager
def existing(data: str) -> Iterator[Connection]:
    """A view of the store of a data folder. Raises DeviceMissing if there is none: a folder that was misspelt is not
    made."""
    from gprov.apps.server.store.database import open_existing

    with open_existing(data, database_url(data)) as db:
        yield db


def database_url(data: str) -> str:
    """As the settings of the data folder have it. Raises BadInput, DeviceFault."""
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.apps.server.stated_settings import stated_settings

    return stated_settings(LinuxFiles(), data).store.database


def operator(reason: str) -> Actor:
    """The person who runs this command."""
    from gprov.adapters.linux.system.login import current_user

    return Actor(current_user(), reason)


def utc(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
