"""Running the server as a process: socket, announcement, log on standard error, orderly end on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from gprov.apps.server.container import ServerContainer
from gprov.apps.server.store.presence import serving
from gprov.apps.server.tls.boot_port import BootPortOnly
from gprov.apps.server.tls.contexts import CertificateWatch
from gprov.apps.server.web.api import log
from gprov.apps.server.web.limits.log_lines import Budgeted
from gprov.apps.server.web.limits.protocol import LimitedProtocol
from gprov.apps.server.web.limits.serving import LimitedServer, within_limits
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.factory.limits.hosts import AllowedHosts
from gprov.domain.factory.server_settings import SETTINGS_FILE
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.factory.settings.limits import Limits
from gprov.domain.factory.settings.tls import BootPort

# For requests in progress at SIGTERM; clients resume downloads that are cut.
_GRACE_SECONDS = 3
# After which a busy thread lets another one go on. The default is ten times as long: the thread of the store would wait
# for it after each of its many short statements while requests are read.
_SWITCH_SECONDS = 0.0005
# How often the log says what it left out.
_REPORT_SECONDS = 10


class _Interruptible:
    """The application; replies that the server's end cancels are logged in a line; uvicorn would log a crash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            log.warning("the server ends: %r is cut short", scope.get("path", scope["type"]))


class _Announcing(LimitedServer):
    """Prints the address as soon as it listens. ``on_end``: ends what would go on for ever."""

    def __init__(
        self,
        config: uvicorn.Config,
        limits: Limits,
        on_end: Callable[[], None],
        contexts: Sequence[ssl.SSLContext | None],
    ) -> None:
        super().__init__(config, limits, contexts)
        self._on_end = on_end
        self._schemes = ["http" if context is None else "https" for context in contexts]

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            main, *boot = map(_url, self._schemes, sockets)
            for url in boot:
                print(f"gprov server: iPXE at {url}", flush=True)
            print(f"gprov server: listening on {main}", flush=True)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)


def serve(container: ServerContainer) -> None:
    """Serve where the settings say, until SIGTERM or SIGINT. Raises DeviceFault (folder in use, address in use, store
    not usable), and what the provider of the key raises."""
    settings = container.settings()
    sys.setswitchinterval(_SWITCH_SECONDS)
    listen, tls = settings.listen, settings.tls
    require_decided(settings.access, encrypted=tls.encrypted)
    ports = [listen.port] if tls.boot is BootPort.OFF else [listen.port, tls.boot_port]
    with (
        serving(container.folder(), container.settings().store.database),
        closing(container.database()),
        closing(container.logs()),
        ExitStack() as sockets,
    ):
        listeners = [sockets.enter_context(closing(_listen(listen.host, port))) for port in ports]
        contexts = container.certificates().contexts[: len(ports)]
        config = _config(container, [each.getsockname()[1] for each in listeners])
        server = _Announcing(config, container.settings().limits, container.feed().close, contexts)
        # For a signal before uvicorn has set its handlers; and uvicorn raises the signal that ended it once more.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        server.run(listeners)


def require_decided(access: Access, *, encrypted: bool) -> None:
    """Raises BadInput unless a person has decided who may do what on this server, and passwords of people travel
    encrypted."""
    if access.mode is AccessMode.UNDECIDED:
        message = (
            'is missing: "accounts", for which `gprov server account add` makes the first account, or "isolated" (also'
            " --isolated) for a network that only trusted machines and people reach; docs/explanation/server-access.md"
        )
        raise BadInput(SETTINGS_FILE, [Problem("$.access.mode", message)])
    if access.mode is AccessMode.ACCOUNTS and not encrypted and not access.behind_proxy:
        message = (
            'with "accounts" the server needs TLS, since people send passwords: docs/how-to/tls.md; or behind_proxy ='
            " true if a proxy encrypts the connections and nothing else reaches the server"
        )
        raise BadInput(SETTINGS_FILE, [Problem("$.access.mode", message)])
    if access.mode is AccessMode.ISOLATED:
        log.warning(
            "isolated network: everyone who reaches this server reads all that it has but passwords; a unit is known by"
            " its serial number alone, so that another machine can get its passwords"
        )


def _config(container: ServerContainer, ports: Sequence[int]) -> uvicorn.Config:
    """``ports``: the server's, and that for iPXE if there is one."""
    listen, limits = container.settings().listen, container.settings().limits
    handler = Budgeted(limits)

    certificates = container.certificates().all
    watch = CertificateWatch(certificates, container.now(), lambda text: log.warning("%s", text))

    async def report() -> None:
        handler.report()
        await asyncio.to_thread(watch.check)

    boot_port = ports[1] if len(ports) > 1 else None
    set_value(container.netboot, replace(container.netboot(), port=ports[0], boot_port=boot_port))
    app = BootPortOnly(_Interruptible(container.app()), boot_port, Branding())

    hosts = AllowedHosts((listen.host, *listen.names), listen.public_url)
    return uvicorn.Config(
        within_limits(app, limits, hosts, container.now()),
        http=LimitedProtocol,
        ws="none",
        access_log=False,
        log_config=_logging(handler),
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        callback_notify=report,
        timeout_notify=_REPORT_SECONDS,
        lifespan="on",
    )


def _logging(handler: logging.Handler) -> dict[str, Any]:
    """To standard error: standard output has the announcement and nothing else. No line has anything of a body."""
    logger = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"()": lambda: handler}},
        "loggers": {
            "uvicorn": {**logger, "level": "ERROR"},
            "asyncio": {**logger, "level": "WARNING"},
            "gprov.server": {**logger, "level": "INFO"},
        },
    }


def _url(scheme: str, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise DeviceFault(host, f"cannot listen: {exc.strerror}", errno=exc.errno) from exc
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        listener.close()
        raise DeviceFault(f"{host} port {port}", f"cannot listen: {exc.strerror}", errno=exc.errno) from exc
    return listener
