"""The port for iPXE: of all that the server has, it offers the script, the provisioning kernel and the CA."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gprov.domain.branding import Branding
from gprov.domain.factory.netboot import SCRIPT
from gprov.domain.unit.trust import CA_PATH


class BootPortOnly:
    """Refuses everything else that comes to ``port`` (None: there is no such port)."""

    def __init__(self, app: ASGIApp, port: int | None, branding: Branding) -> None:
        self._app = app
        self._port = port
        self._paths = {f"/{SCRIPT}", CA_PATH, f"/files/{branding.provision_kernel}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server") or ("", None)
        if scope["type"] == "http" and server[1] == self._port and not self._offers(scope):
            refusal = PlainTextResponse("not at this port\n", 404)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _offers(self, scope: Scope) -> bool:
        return scope["method"] in ("GET", "HEAD") and scope["path"] in self._paths
