"""Scripts for machines that start over the network (``gprov.domain.factory.netboot``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from gprov.apps.server.access.unit_gate import UnitGate
from gprov.apps.server.store.queries import Queries
from gprov.apps.server.web.api import log
from gprov.apps.server.web.limits.admission import Admission
from gprov.apps.server.web.openapi import ANY_ERROR, answers
from gprov.domain.branding import Branding
from gprov.domain.factory import syntax
from gprov.domain.factory.netboot import SCRIPT, asking_script, base_problem, local_script, provision_script
from gprov.domain.unit.trust import ARGUMENT, CA_PATH, OwnCa, argument_for

_PEM_TYPE = "application/x-pem-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Netboot:
    """``arguments``: further kernel arguments, as ``check_arguments`` returns them. ``public_url``: how machines reach
    this server; "" for the address that each of them used. ``ca``: published, and named to units; None: none.
    ``port``: of the server; ``boot_port``: of the one for iPXE, None if there is none."""

    arguments: str = ""
    public_url: str = ""
    ca: OwnCa | None = None
    port: int = 0
    boot_port: int | None = None
    branding: Branding = field(default_factory=Branding)

    @property
    def unit_arguments(self) -> str:
        """With the CA, unless the settings name another."""
        if self.ca is None or any(word.startswith(f"{ARGUMENT}=") for word in self.arguments.split()):
            return self.arguments
        return f"{argument_for(self.ca)} {self.arguments}".strip()


def netboot(
    settings: Netboot, queries: Queries, gate: UnitGate, admission: Admission, now: Callable[[], int]
) -> APIRouter:
    router = APIRouter(tags=["network boot"])

    @router.get(
        f"/{SCRIPT}",
        summary="The iPXE script that starts provisioning",
        response_class=PlainTextResponse,
        responses=answers(None, ANY_ERROR),
    )
    def script(
        request: Request, mac: str | None = None, serial: str | None = None, board: str | None = None
    ) -> Response:
        """Without a query: a script that asks again with the identity of its machine. `serial` and `board` are the
        serial numbers of SMBIOS, system and base board. A unit whose passwords are sealed starts from its disks. On a
        server with accounts, the script has a one-time token for a machine with one of these serial numbers."""
        boot, base = _bases(request, settings)
        if mac is None and serial is None and board is None:
            return _text(asking_script(boot))
        serials = [each.strip() for each in (serial, board) if each and syntax.is_serial(each.strip())]
        own = syntax.mac(mac or "") or ""
        if not own.startswith(f"{settings.branding.mac_prefix.lower()}:"):
            own = ""  # the MAC of an adapter that is moved from unit to unit does not identify one
        sealed = queries.sealed_unit(serials, own, now())
        if sealed is not None:
            log.warning(
                "%s (%s) is provisioned and starts over the network: it gets the script that starts its disks",
                sealed,
                mac,
            )
            return _text(local_script())
        peer = request.client.host if request.client else ""
        admission.admit_script(peer)
        token = gate.token_for_script(serials, peer)
        return _text(provision_script(base, settings.unit_arguments, settings.branding, token, boot=boot))

    if settings.ca is not None:
        pem = settings.ca.pem
        router.add_api_route(
            CA_PATH,
            lambda: Response(pem, media_type=_PEM_TYPE),
            summary="The certificate of the factory's CA, for units that know its fingerprint",
            response_class=Response,
            responses=answers(None, ANY_ERROR),
        )
    return router


def _bases(request: Request, settings: Netboot) -> tuple[str, str]:
    """URLs of the server for iPXE, and for the unit. They differ for a request at the port for iPXE."""
    asked = _base(request)
    server = request.scope.get("server") or ("", 0)
    if settings.boot_port is None or server[1] != settings.boot_port:
        base = settings.public_url or asked
        return base, base
    name = urlsplit(settings.public_url or asked).hostname or ""
    host = f"[{name}]" if ":" in name else name
    boot = f"{request.url.scheme}://{host}:{settings.boot_port}"
    return boot, settings.public_url or f"https://{host}:{settings.port}"


def _base(request: Request) -> str:
    """The URL by which the client addressed the server: its Host header, else the address of its connection (HTTP/1.0
    may have no Host)."""
    host = request.headers.get("host", "")
    if not host and request.scope.get("server"):
        address, port = request.scope["server"][:2]
        host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    base = f"{request.url.scheme}://{host}"
    problem = base_problem(base)
    if problem:
        raise HTTPException(400, f"Host {problem}")
    return base


def _text(script: str) -> Response:
    return PlainTextResponse(script, headers={"Cache-Control": "no-store"})
