"""The ASGI application over the server's services."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI

from gprov.apps.server.access.routes import access_routes
from gprov.apps.server.access.sign_in_routes import AccessServices
from gprov.apps.server.pages.routes import page_routes
from gprov.apps.server.pages.routing import PageServices
from gprov.apps.server.secrets.private_modes import keep_private
from gprov.apps.server.store.database import store_path
from gprov.apps.server.store.erasures import Erasures
from gprov.apps.server.web.api import Services, api, log
from gprov.apps.server.web.erasure_api import erasure_routes, write_certificates
from gprov.apps.server.web.files import PublishedFiles
from gprov.apps.server.web.http import install_error_replies
from gprov.apps.server.web.netboot import Netboot, netboot
from gprov.apps.server.web.openapi import DescribedApp
from gprov.domain.errors import DeviceFault
from gprov.domain.factory.accounts import Role

SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PrivateFolders:
    """The folder of QA documents and that of the store, which no other user may read."""

    documents: str
    store: str

    def restrict(self) -> None:
        """Raises DeviceFault."""
        for path in (*keep_private(self.documents, files=False), *keep_private(self.store, files=True)):
            log.warning("%s: could be read by other users; their rights were taken away", path)


def make_app(
    services: Services, erasures: Erasures, pages: PageServices, access: AccessServices, folder: str, boot: Netboot
) -> FastAPI:
    """Serve the API, scripts for network boot, and the files below ``folder``/files. Raises DeviceFault."""
    files = _folder(folder, "files")
    _folder(folder, "certificates")
    private = PrivateFolders(_folder(folder, "documents", mode=0o700), os.path.dirname(store_path(folder)))
    private.restrict()

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweep(services, erasures, private))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    app = DescribedApp(
        title="gprov factory server",
        version=version("gprov"),
        description="Units report the course of their provisioning; the factory reads it back.",
        docs_url=None,  # these pages load scripts from the internet, which factories do not reach
        redoc_url=None,
        lifespan=sweeping,
    )
    install_error_replies(app)
    viewing = access.guard.require(Role.VIEW)
    app.include_router(api(services, viewing))
    app.include_router(erasure_routes(erasures, services, viewing))
    app.include_router(pages.pages.assets.router())
    app.include_router(page_routes(pages), dependencies=[viewing])
    app.include_router(access_routes(access, services.queries))
    app.include_router(netboot(boot, services.queries, services.gate, services.admission, services.now))
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


async def _sweep(services: Services, erasures: Erasures, private: PrivateFolders) -> None:
    while True:
        try:
            await asyncio.to_thread(services.store.sweep)
            await asyncio.to_thread(services.bounds.sweep)
            await asyncio.to_thread(services.write_released)
            await asyncio.to_thread(write_certificates, erasures)
            await asyncio.to_thread(private.restrict)
            await asyncio.to_thread(services.key.scrub)
        except DeviceFault as fault:
            log.warning("%s", fault)  # the next round tries again
        await asyncio.sleep(SWEEP_SECONDS)
