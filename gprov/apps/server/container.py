"""Composition root of the factory server."""

from __future__ import annotations

from fastapi import FastAPI

from gprov.apps.server.access.guard import Guard
from gprov.apps.server.access.routes import ISOLATED, NAVIGATION
from gprov.apps.server.access.sign_in_routes import AccessServices
from gprov.apps.server.access.unit_action_routes import ACTIONS
from gprov.apps.server.composition.secrets import SecretsContainer
from gprov.apps.server.pages.detail_queries import DetailQueries
from gprov.apps.server.pages.figure_queries import FigureQueries
from gprov.apps.server.pages.live import LiveFeed
from gprov.apps.server.pages.log_queries import LogQueries
from gprov.apps.server.pages.rendering import Pages
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.pages.unit_queries import UnitQueries
from gprov.apps.server.store.health import Health
from gprov.apps.server.store.retention import Retention
from gprov.apps.server.tls.port_certificates import PortCertificates, port_certificates
from gprov.apps.server.web.api import Services
from gprov.apps.server.web.app import Watch, make_app
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.server.web.limits.room import Room
from gprov.apps.server.web.metrics import Metrics
from gprov.apps.server.web.netboot import Netboot
from gprov.apps.unit.composition.wiring import factory, itself, set_value, singleton
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.view.unit_words import Patience
from gprov.ports.secretbox import KeyProvider


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


def _admission(server: ServerContainer) -> Admission:
    limits = server.settings().limits
    room = Room(server.folder(), limits.free_mebibytes << 20, server.now())
    return Admission(server.bounds(), limits, room, server.now())


def _metrics(server: ServerContainer) -> Metrics:
    return Metrics(server.logs().waiting)


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


class ServerContainer(SecretsContainer):
    """``app`` makes the ASGI application."""

    certificates = singleton(_certificates, itself)
    netboot = singleton(_netboot, itself)
    admission = singleton(_admission, itself)
    metrics = singleton(_metrics, itself)
    watch = singleton(_watch, itself)
    services = singleton(_services, itself)
    pages = singleton(_pages, itself)
    units = singleton(_units, itself)
    feed = singleton(_feed, itself)
    page_services = singleton(_page_services, itself)
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
