"""Composition root of the factory server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from fastapi import FastAPI

from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.system.ed25519 import signer_at
from gprov.adapters.linux.system.random import SystemRandomness
from gprov.apps.server.access.account_passwords import AccountPasswords
from gprov.apps.server.access.accounts import Accounts
from gprov.apps.server.access.guard import Guard
from gprov.apps.server.access.routes import ISOLATED, NAVIGATION
from gprov.apps.server.access.sign_in import SignIn
from gprov.apps.server.access.sign_in_routes import AccessServices
from gprov.apps.server.access.unit_action_routes import ACTIONS
from gprov.apps.server.access.unit_gate import GateRules, UnitGate
from gprov.apps.server.pages.detail_queries import DetailQueries
from gprov.apps.server.pages.figure_queries import FigureQueries
from gprov.apps.server.pages.live import LiveFeed
from gprov.apps.server.pages.log_queries import LogQueries
from gprov.apps.server.pages.rendering import Pages
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.pages.unit_queries import UnitQueries
from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.credential_admin import CredentialAdmin
from gprov.apps.server.secrets.credentials import CredentialService
from gprov.apps.server.secrets.password_store import PasswordStore
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.secrets.unlocking import unlock
from gprov.apps.server.stated_settings import stated_settings
from gprov.apps.server.store.backends import make_private_folder
from gprov.apps.server.store.bounds import BoundedStore
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.erasures import KEY_FILE, Erasures
from gprov.apps.server.store.grouping import GroupedWrites
from gprov.apps.server.store.health import Health
from gprov.apps.server.store.queries import Queries
from gprov.apps.server.store.recording import Store, StoreRules
from gprov.apps.server.store.released_documents import ReleasedDocuments
from gprov.apps.server.store.retention import Retention
from gprov.apps.server.tls.port_certificates import PortCertificates, port_certificates
from gprov.apps.server.web.api import Services
from gprov.apps.server.web.app import Watch, make_app
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.server.web.limits.room import Room
from gprov.apps.server.web.metrics import Metrics
from gprov.apps.server.web.netboot import Netboot
from gprov.apps.unit.composition.wiring import Container, Declaration, factory, itself, set_value, singleton, value
from gprov.domain.errors import InternalError
from gprov.domain.factory.accounts import Times
from gprov.domain.factory.limits.rates import RateLimiter
from gprov.domain.factory.password_policy import PasswordPolicy, parse_policy
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.limits import at_once
from gprov.domain.factory.view.unit_words import Patience
from gprov.ports.clock import Randomness
from gprov.ports.files import Files
from gprov.ports.secretbox import KeyProvider
from gprov.ports.signing import Signer

# In the data folder; rules for passwords, where they are not the default ones.
POLICY_FILE = "credentials.toml"


def _files() -> Files:
    return LinuxFiles()


def _randomness() -> Randomness:
    return SystemRandomness()


def _settings(server: ServerContainer) -> ServerSettings:
    """Of the data folder's file. Raises BadInput, DeviceFault."""
    return stated_settings(server.files(), server.folder())


def _netboot(server: ServerContainer) -> Netboot:
    settings = server.settings()
    return Netboot(
        arguments=settings.netboot.boot_arguments,
        public_url=settings.listen.public_url,
        ca=server.certificates().ca,
    )


def _certificates(server: ServerContainer) -> PortCertificates:
    """Raises BadInput, DeviceMissing, DeviceFault, RefusedByPolicy."""
    return port_certificates(server.folder(), server.settings().tls)


def _database(server: ServerContainer) -> Database:
    return Database(server.folder(), server.settings().store.database)


def _grouped(server: ServerContainer) -> GroupedWrites:
    return GroupedWrites(server.database())


def _store(server: ServerContainer) -> Store:
    settings = server.settings()
    rules = StoreRules(
        hold_ns=settings.documents.hold_ns,
        log_bytes=settings.limits.stored.log_bytes,
        strict=settings.access.strict,
    )
    return Store(server.database(), server.grouped(), server.now(), rules)


def _bounds(server: ServerContainer) -> BoundedStore:
    return BoundedStore(server.database(), server.settings().limits.stored, server.now())


def _admission(server: ServerContainer) -> Admission:
    limits = server.settings().limits
    room = Room(server.folder(), limits.free_mebibytes << 20, server.now())
    return Admission(server.bounds(), limits, room, server.now())


def _gate(server: ServerContainer) -> UnitGate:
    access = server.settings().access
    rules = GateRules(strict=access.strict, token_ns=access.token_ns, in_scripts=access.script_tokens)
    return UnitGate(server.database(), server.trail(), server.randomness(), server.now(), rules)


def _password_policy(server: ServerContainer) -> PasswordPolicy:
    """Raises BadInput, DeviceFault."""
    path = os.path.join(server.folder(), POLICY_FILE)
    files = server.files()
    return parse_policy(path, files.read(path)) if files.status(path) else PasswordPolicy()


def _store_key(server: ServerContainer) -> StoreKey:
    return StoreKey(server.database(), server.keys())


def _trail(server: ServerContainer) -> AuditTrail:
    """The store is opened with its key before anything is recorded."""
    trail = AuditTrail(server.store_key(), server.now())
    unlock(server.database(), server.store_key(), trail)
    return trail


def _passwords(server: ServerContainer) -> PasswordStore:
    return PasswordStore(server.store_key(), server.randomness(), server.password_policy())


def _credentials(server: ServerContainer) -> CredentialService:
    settings = server.settings()
    return CredentialService(
        server.database(),
        server.passwords(),
        server.trail(),
        server.now(),
        settings.credentials.window_ns,
        strict=settings.access.strict,
    )


def _admin(server: ServerContainer) -> CredentialAdmin:
    return CredentialAdmin(server.database(), server.passwords(), server.trail(), server.store_key(), server.now())


def _queries(server: ServerContainer) -> Queries:
    return Queries(server.database())


def _released(server: ServerContainer) -> ReleasedDocuments:
    return ReleasedDocuments(server.database(), server.files(), os.path.join(server.folder(), "documents"))


def _signer(server: ServerContainer) -> Signer:
    """In the folder of the store, also if the store itself is another server's."""
    path = os.path.join(server.folder(), KEY_FILE)
    make_private_folder(os.path.dirname(path))
    return signer_at(path)


def _erasures(server: ServerContainer) -> Erasures:
    return Erasures(
        server.database(),
        server.files(),
        server.signer(),
        server.settings().certificates.issuer,
        server.now(),
        server.folder(),
    )


def _metrics(server: ServerContainer) -> Metrics:
    return Metrics(server.grouped().waiting)


def _watch(server: ServerContainer) -> Watch:
    database, now, settings = server.database(), server.now(), server.settings()
    certificates = server.certificates()
    health = Health(
        database=database,
        files=server.files(),
        folder=server.folder(),
        least_free=settings.limits.free_mebibytes << 20,
        now=now,
        warnings=lambda: certificates.warnings(now()),
    )
    return Watch(Retention(database, now, settings.store.keep_ns), health)


def _services(server: ServerContainer) -> Services:
    return Services(
        store=server.store(),
        credentials=server.credentials(),
        gate=server.gate(),
        queries=server.queries(),
        released=server.released(),
        key=server.store_key(),
        metrics=server.metrics(),
        admission=server.admission(),
        bounds=server.bounds(),
        now=server.now(),
    )


def _pages(server: ServerContainer) -> Pages:
    if not server.settings().access.strict:
        return Pages(server.now(), packages=("gprov.apps.server.access",), notice=ISOLATED)
    return Pages(server.now(), NAVIGATION, ("gprov.apps.server.access",), ACTIONS)


def _units(server: ServerContainer) -> UnitQueries:
    settings = server.settings()
    patience = Patience(settings.pages.silent_ns, settings.documents.hold_ns)
    return UnitQueries(server.database(), server.now(), patience)


def _feed(server: ServerContainer) -> LiveFeed:
    return LiveFeed(server.units().version, server.settings().pages.live_pages)


def _page_services(server: ServerContainer) -> PageServices:
    database = server.database()
    return PageServices(
        pages=server.pages(),
        units=server.units(),
        details=DetailQueries(database),
        log=LogQueries(database),
        figures=FigureQueries(database),
        queries=server.queries(),
        erasures=server.erasures(),
        feed=server.feed(),
        line_ns=server.settings().pages.line_ns,
    )


def _app(server: ServerContainer) -> FastAPI:
    return make_app(
        server.services(),
        server.erasures(),
        server.page_services(),
        server.access(),
        server.watch(),
        server.folder(),
        server.netboot(),
    )


def _accounts(server: ServerContainer) -> Accounts:
    return Accounts(server.database(), server.trail(), server.account_passwords(), server.randomness(), server.now())


def _sign_in(server: ServerContainer) -> SignIn:
    access, limits = server.settings().access, server.settings().limits
    attempts = RateLimiter(at_once(limits.sign_ins_per_minute), at_once(limits.all_sign_ins_per_minute))
    return SignIn(
        server.database(),
        server.trail(),
        server.account_passwords(),
        server.randomness(),
        server.now(),
        Times(access.idle_ns, access.session_ns),
        attempts=attempts,
    )


def _access(server: ServerContainer) -> AccessServices:
    access, signing = server.settings().access, server.sign_in()
    return AccessServices(
        guard=Guard(signing, strict=access.strict, encrypted=access.behind_proxy or server.settings().tls.encrypted),
        signing=signing,
        accounts=server.accounts(),
        admin=server.admin(),
        gate=server.gate(),
        database=server.database(),
        pages=server.pages(),
        strict=access.strict,
    )


def _no_keys() -> KeyProvider:
    raise InternalError("the container of the server has no provider of keys")


class ServerContainer(Container):
    """``app`` makes the ASGI application, ``database`` opens the store: to be closed by the caller.

    ``folder`` must be replaced by the data folder, ``keys`` by what has the key of the store. ``settings``: those of
    the folder, unless replaced. ``now``: the server's clock, UTC, ns.
    """

    folder = value("")
    keys = singleton(_no_keys)
    now: Declaration[Container, Callable[[], int]] = value(time.time_ns)

    files = singleton(_files)
    settings = singleton(_settings, itself)
    certificates = singleton(_certificates, itself)
    netboot = singleton(_netboot, itself)
    randomness = singleton(_randomness)
    database = singleton(_database, itself)
    grouped = singleton(_grouped, itself)
    store = singleton(_store, itself)
    bounds = singleton(_bounds, itself)
    admission = singleton(_admission, itself)
    password_policy = singleton(_password_policy, itself)
    store_key = singleton(_store_key, itself)
    trail = singleton(_trail, itself)
    passwords = singleton(_passwords, itself)
    credentials = singleton(_credentials, itself)
    gate = singleton(_gate, itself)
    admin = singleton(_admin, itself)
    queries = singleton(_queries, itself)
    released = singleton(_released, itself)
    signer = singleton(_signer, itself)
    erasures = singleton(_erasures, itself)
    metrics = singleton(_metrics, itself)
    watch = singleton(_watch, itself)
    services = singleton(_services, itself)
    pages = singleton(_pages, itself)
    units = singleton(_units, itself)
    feed = singleton(_feed, itself)
    page_services = singleton(_page_services, itself)
    account_passwords = singleton(AccountPasswords)
    accounts = singleton(_accounts, itself)
    sign_in = singleton(_sign_in, itself)
    access = singleton(_access, itself)
    app = factory(_app, itself)


def server_container(folder: str, keys: KeyProvider, settings: ServerSettings | None = None) -> ServerContainer:
    """A container for a data folder. Opens nothing yet. ``keys``: has the key of the store. ``settings``: None for
    those of the folder."""
    container = ServerContainer()
    set_value(container.folder, folder)
    set_value(container.keys, keys)
    if settings is not None:
        set_value(container.settings, settings)
    return container
