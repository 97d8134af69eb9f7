"""Pages with which people sign in and out, and change their password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from gprov.apps.server.access.accounts import Accounts
from gprov.apps.server.access.guard import SIGN_IN, Guard, account_of, check_form, own_address, require_own_site
from gprov.apps.server.access.sign_in import SignIn, SignInRefused
from gprov.apps.server.access.unit_gate import UnitGate
from gprov.apps.server.pages.rendering import Pages
from gprov.apps.server.pages.routing import page_router
from gprov.apps.server.secrets.credential_admin import CredentialAdmin
from gprov.apps.server.store.database import Database
from gprov.domain.errors import BadInput
from gprov.domain.factory.accounts import ROLE_WORDS, Role
from gprov.domain.unit.credentials import Secret

OWN_ACCOUNT = "/account/"
# PostgreSQL stores no NUL.
Field = Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")]
NextField = Annotated[str, Form(alias="next", max_length=2000)]


@dataclass(frozen=True, kw_only=True)
class AccessServices:
    """What the pages of this package need."""

    guard: Guard
    signing: SignIn
    accounts: Accounts
    admin: CredentialAdmin
    gate: UnitGate
    database: Database
    pages: Pages
    strict: bool


def sign_in_routes(services: AccessServices) -> APIRouter:
    router = page_router(services.pages)
    guard = services.guard

    @router.get(SIGN_IN)
    def form(request: Request, next_: Annotated[str, Query(alias="next")] = "/") -> Response:
        guard.identify(request)
        return _form(services, request, next_)

    @router.post(SIGN_IN)
    def sign_in(request: Request, name: Field = "", password: Field = "", next_: NextField = "/") -> Response:
        require_own_site(request)
        peer = request.client.host if request.client else ""
        try:
            token = services.signing.sign_in(name.strip(), Secret(password), peer)
        except SignInRefused as refused:
            return _form(services, request, next_, name, refused)
        reply = RedirectResponse(own_address(next_), 303)
        guard.set_cookie(reply, token.reveal())
        return reply

    @router.post("/sign-out/", dependencies=[guard.require(Role.VIEW)])
    def sign_out(request: Request, token: Field = "") -> Response:
        check_form(request, token)
        services.signing.sign_out(request.cookies.get(guard.cookie, ""))
        return _signed_out(guard)

    @router.post("/sign-out-everywhere/", dependencies=[guard.require(Role.VIEW)])
    def everywhere(request: Request, token: Field = "") -> Response:
        person = check_form(request, token)
        services.accounts.sign_out_everywhere(person.name, person.actor())
        return _signed_out(guard)

    @router.get(OWN_ACCOUNT, dependencies=[guard.require(Role.VIEW)])
    def account(request: Request) -> Response:
        return _account(services, request)

    @router.post(OWN_ACCOUNT, dependencies=[guard.require(Role.VIEW)])
    def change(request: Request, token: Field = "", password: Field = "", fresh: Field = "") -> Response:
        person = check_form(request, token)
        peer = request.client.host if request.client else ""
        try:
            services.signing.sign_out(services.signing.sign_in(person.name, Secret(password), peer).reveal())
            services.accounts.set_password(person.name, Secret(fresh), person.actor("by themselves"))
        except (SignInRefused, BadInput) as error:
            return _account(services, request, str(error), 422)
        return _signed_out(guard)

    return router


def _form(
    services: AccessServices, request: Request, after: str, name: str = "", refused: SignInRefused | None = None
) -> Response:
    status = 200 if refused is None else 429 if refused.wait_ns else 401
    return services.pages.reply(
        request,
        "sign_in.html",
        status=status,
        strict=services.strict,
        next=own_address(after),
        name=name,
        error=str(refused) if refused is not None else "",
    )


def _account(services: AccessServices, request: Request, error: str = "", status: int = 200) -> Response:
    person = account_of(request)
    return services.pages.reply(
        request,
        "account.html",
        status=status,
        token=person.form_token,
        role=person.role,
        words=ROLE_WORDS[person.role],
        error=error,
    )


def _signed_out(guard: Guard) -> Response:
    reply = RedirectResponse(SIGN_IN, 303)
    guard.remove_cookie(reply)
    return reply
