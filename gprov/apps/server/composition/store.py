"""Providers of the store, and of what is read back from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.system.ed25519 import signer_at
from gprov.adapters.linux.system.random import SystemRandomness
from gprov.apps.server.stated_settings import stated_settings
from gprov.apps.server.store.backends import make_private_folder
from gprov.apps.server.store.bounds import BoundedStore
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.erasures import KEY_FILE, Erasures
from gprov.apps.server.store.grouping import GroupedWrites
from gprov.apps.server.store.queries import Queries
from gprov.apps.server.store.recording import Store
from gprov.apps.server.store.released_documents import ReleasedDocuments
from gprov.apps.server.store.unit_logs import Appended, UnitLogs
from gprov.apps.unit.composition.wiring import Container, Declaration, itself, singleton, value
from gprov.domain.errors import InternalError
from gprov.domain.factory.requests import EventBatch
from gprov.domain.factory.server_settings import ServerSettings
from gprov.ports.clock import Randomness
from gprov.ports.files import Files
from gprov.ports.secretbox import KeyProvider
from gprov.ports.signing import Signer


def _files() -> Files:
    return LinuxFiles()


def _randomness() -> Randomness:
    return SystemRandomness()


def _settings(server: StoreContainer) -> ServerSettings:
    """Of the data folder's file. Raises BadInput, DeviceFault."""
    return stated_settings(server.files(), server.folder())


def _database(server: StoreContainer) -> Database:
    return Database(server.folder(), server.settings().store.database)


def _logs(server: StoreContainer) -> GroupedWrites[EventBatch, Appended]:
    settings = server.settings()
    logs = UnitLogs(server.now(), settings.limits.stored.log_bytes, strict=settings.access.strict)
    return GroupedWrites(server.database(), logs.append)


def _store(server: StoreContainer) -> Store:
    settings = server.settings()
    hold_ns, strict = settings.documents.hold_ns, settings.access.strict
    return Store(server.database(), server.logs(), server.now(), hold_ns, strict=strict)


def _bounds(server: StoreContainer) -> BoundedStore:
    return BoundedStore(server.database(), server.settings().limits.stored, server.now())


def _queries(server: StoreContainer) -> Queries:
    return Queries(server.database())


def _released(server: StoreContainer) -> ReleasedDocuments:
    return ReleasedDocuments(server.database(), server.files(), os.path.join(server.folder(), "documents"))


def _signer(server: StoreContainer) -> Signer:
    """In the folder of the store, also if the store itself is another server's."""
    path = os.path.join(server.folder(), KEY_FILE)
    make_private_folder(os.path.dirname(path))
    return signer_at(path)


def _erasures(server: StoreContainer) -> Erasures:
    return Erasures(
        server.database(),
        server.files(),
        server.signer(),
        server.settings().certificates.issuer,
        server.now(),
        server.folder(),
    )


def _no_keys() -> KeyProvider:
    raise InternalError("the container of the server has no provider of keys")


class StoreContainer(Container):
    """``database`` opens the store: to be closed by the caller.

    ``folder`` must be replaced by the data folder, ``keys`` by what has the key of the store. ``settings``: those of
    the folder, unless replaced. ``now``: the server's clock, UTC, ns.
    """

    folder = value("")
    keys = singleton(_no_keys)
    now: Declaration[Container, Callable[[], int]] = value(time.time_ns)

    files = singleton(_files)
    randomness = singleton(_randomness)
    settings = singleton(_settings, itself)
    database = singleton(_database, itself)
    logs = singleton(_logs, itself)
    store = singleton(_store, itself)
    bounds = singleton(_bounds, itself)
    queries = singleton(_queries, itself)
    released = singleton(_released, itself)
    signer = singleton(_signer, itself)
    erasures = singleton(_erasures, itself)
