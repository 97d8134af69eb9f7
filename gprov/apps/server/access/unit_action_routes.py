"""What people do with one unit: see its passwords, reopen it, decide on its document, have a token for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from gprov.apps.server.access.guard import check_form
from gprov.apps.server.access.sign_in_routes import AccessServices, Field
from gprov.apps.server.pages.rendering import UnitAction
from gprov.apps.server.pages.routing import page_router
from gprov.apps.server.secrets.password_store import KnownPassword
from gprov.apps.server.store.queries import Queries
from gprov.domain.boot.args import START_ARGUMENT
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.factory.accounts import Role, checked_reason
from gprov.domain.factory.documents import DocumentStatus
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.syntax import MAX_SERIAL, whole_number
from gprov.domain.factory.view.addresses import with_query

PATH = "/unit-access/"
ACTIONS = (UnitAction("Passwords and access", PATH, Role.OPERATE.value),)
Serial = Annotated[str, Query(min_length=1, max_length=MAX_SERIAL)]
_HOUR_NS = 3600 * 10**9
_LONGEST_HOURS = 744


def unit_action_routes(services: AccessServices, queries: Queries) -> APIRouter:
    router = page_router(services.pages)
    router.include_router(_changes(services, queries))
    operate, reveal = services.guard.require(Role.OPERATE), services.guard.require(Role.REVEAL)
    admin = services.admin

    @router.get(PATH, dependencies=[operate])
    def page(request: Request, serial: Serial, done: str = "") -> Response:
        return _page(services, queries, request, serial, done=done if done in _DONE else "")

    @router.post(f"{PATH}reveal/", dependencies=[reveal])
    def passwords(
        request: Request, serial: Serial, token: Field = "", reason: Field = "", previous: Field = ""
    ) -> Response:
        """Shown in this reply only. It is in the audit trail before."""
        person = check_form(request, token)
        try:
            known = admin.reveal(serial, person.actor(checked_reason(reason)))
        except BadInput as error:
            return _page(services, queries, request, serial, error=str(error), status=422)
        return services.pages.reply(
            request, "revealed.html", serial=serial, passwords=_shown(known, bool(previous)), reason=reason
        )

    @router.post(f"{PATH}token/", dependencies=[operate])
    def start_token(request: Request, serial: Serial, token: Field = "", hours: Field = "24") -> Response:
        person = check_form(request, token)
        lasts = whole_number(hours, 1, _LONGEST_HOURS)
        if lasts is None:
            message = f"hours: must be a whole number, 1 to {_LONGEST_HOURS}"
            return _page(services, queries, request, serial, error=message, status=422)
        made = services.gate.issue(serial, person.actor(), lasts * _HOUR_NS)
        argument = f"{Branding().environment_prefix}{START_ARGUMENT}={made.reveal()}"
        return services.pages.reply(request, "start_token.html", serial=serial, argument=argument, hours=hours)

    return router


_DONE = {
    "reopened": "The unit is reopened: one provisioning may begin within 24 hours.",
    "rotated": "The next provisioning gets new passwords.",
    "looked": "It is recorded that you have looked at the unit.",
    "released": "The document is released.",
    "refused": "The document is discarded.",
}


def _changes(services: AccessServices, queries: Queries) -> APIRouter:
    router = page_router(services.pages)
    operate, admin = services.guard.require(Role.OPERATE), services.admin

    @router.post(f"{PATH}change/", dependencies=[operate])
    def change(
        request: Request,
        serial: Serial,
        token: Field = "",
        what: Field = "",
        reason: Field = "",
        replace: Field = "",
        document: Field = "",
    ) -> Response:
        person = check_form(request, token)
        try:
            actor = person.actor(checked_reason(reason))
            match what:
                case "reopened":
                    # Who keeps them and then speaks for the unit has got them: that is for those who may see them.
                    keeps = person.role.includes(Role.REVEAL) and not replace
                    admin.reopen(serial, actor, replace_passwords=not keeps)
                case "rotated":
                    admin.rotate(serial, list(PasswordKind), actor)
                case "looked":
                    admin.look_at(serial, actor)
                case "released" | "refused":
                    admin.decide_document(serial, document, actor, release=what == "released")
                case _:
                    raise HTTPException(404, "no such action")
        except BadInput as error:
            return _page(services, queries, request, serial, error=str(error), status=422)
        return RedirectResponse(with_query(PATH, serial=serial, done=what), 303)

    return router


def _page(
    services: AccessServices,
    queries: Queries,
    request: Request,
    serial: str,
    *,
    done: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    detail = queries.unit(serial)
    if detail is None:
        raise HTTPException(404, "no such unit")
    person = request.state.account
    waiting = [document.name for document in detail.documents if document.status is DocumentStatus.WAITING]
    return services.pages.reply(
        request,
        "unit_access.html",
        status=status,
        serial=serial,
        detail=detail,
        waiting=waiting,
        may_reveal=person.role.includes(Role.REVEAL),
        token=person.form_token,
        done=_DONE.get(done, ""),
        error=error,
    )


def _shown(known: Sequence[KnownPassword], previous: bool) -> list[tuple[str, int, int, str]]:
    """Kind, version, when it was made, and the password."""
    newest = {password.place.kind: password for password in known}
    return [
        (password.place.kind.value, password.place.version, password.made_ns, password.secret.reveal())
        for password in known
        if previous or newest[password.place.kind] is password
    ]
