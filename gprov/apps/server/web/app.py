"""The ASGI application over the server's services."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI

from gprov.apps.server.access.routes import access_routes
from gprov.apps.server.access.sign_in_routes import AccessServices
from gprov.apps.server.pages.routes import page_routes
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.store.database import store_path
from gprov.apps.server.store.erasures import Erasures
from gprov.apps.server.store.health import Health
from gprov.apps.server.store.retention import Retention
from gprov.apps.server.web.api import Services, api
from gprov.apps.server.web.erasure_api import erasure_routes
from gprov.apps.server.web.files import PublishedFiles
from gprov.apps.server.web.health_api import health_routes
from gprov.apps.server.web.http import install_error_replies
from gprov.apps.server.web.metrics import Measured
from gprov.apps.server.web.netboot import Netboot, netboot
from gprov.apps.server.web.openapi import DescribedApp
from gprov.apps.server.web.sweeping import PrivateFolders, Sweeper
from gprov.domain.errors import DeviceFault
from gprov.domain.factory.accounts import Role


@dataclass(frozen=True, slots=True)
class Watch:
    """What keeps the store usable, and shows whether it is."""

    retention: Retention
    health: Health


def make_app(
    services: Services,
    erasures: Erasures,
    pages: PageServices,
    access: AccessServices,
    watch: Watch,
    folder: str,
    boot: Netboot,
) -> FastAPI:
    """Serve the API, scripts for network boot, and the files below ``folder``/files. Raises DeviceFault."""
    files = _folder(folder, "files")
    _folder(folder, "certificates")
    private = PrivateFolders(_folder(folder, "documents", mode=0o700), os.path.dirname(store_path(folder)))
    private.restrict()
    sweeper = Sweeper(services, erasures, watch.retention, private)

    app = DescribedApp(
        title="gprov factory server",
        version=version("gprov"),
        description="Units report the course of their provisioning; the factory reads it back.",
        docs_url=None,  # these pages load scripts from the internet, which factories do not reach
        redoc_url=None,
        lifespan=sweeper.running,
    )
    install_error_replies(app)
    viewing = access.guard.require(Role.VIEW)
    app.include_router(api(services, viewing))
    app.include_router(erasure_routes(erasures, services, viewing))
    app.include_router(pages.pages.assets.router())
    app.include_router(page_routes(pages), dependencies=[viewing])
    app.include_router(access_routes(access, services.queries))
    app.include_router(netboot(boot, services.queries, services.gate, services.admission, services.now))
    app.include_router(health_routes(watch.health, services.metrics, services.queries))
    app.add_middleware(Measured, metrics=services.metrics)
    app.mount("/files", PublishedFiles(files), name="files")
    return app


def _folder(*parts: str, mode: int = 0o755) -> str:
    """Make a folder; an existing one is left as it is."""
    path = os.path.join(*parts)
    try:
        os.makedirs(path, mode=mode, exist_ok=True)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc
    return path
