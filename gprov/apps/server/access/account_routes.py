"""Pages for managing accounts and tokens of programs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from gprov.apps.server.access.accounts import Accounts
from gprov.apps.server.access.guard import account_of, check_form
from gprov.apps.server.access.sign_in_routes import AccessServices, Field
from gprov.apps.server.pages.routing import page_router
from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.accounts import ROLE_WORDS, Role
from gprov.domain.factory.audit import Actor
from gprov.domain.factory.syntax import whole_number
from gprov.domain.unit.credentials import Secret

PATH = "/accounts/"
_DAY_NS = 86400 * 10**9
_LONGEST_DAYS = 3660


def account_routes(services: AccessServices) -> APIRouter:
    router = page_router(services.pages)
    manage, accounts = services.guard.require(Role.MANAGE), services.accounts

    @router.get(PATH, dependencies=[manage])
    def page(request: Request) -> Response:
        return _page(services, request)

    @router.post(PATH, dependencies=[manage])
    def change(
        request: Request,
        token: Field = "",
        what: Field = "",
        name: Field = "",
        role: Field = "",
        password: Field = "",
    ) -> Response:
        actor = check_form(request, token).actor()
        try:
            _change(accounts, what, name, role, Secret(password), actor)
        except BadInput as error:
            return _page(services, request, str(error), 422)
        return RedirectResponse(PATH, 303)

    @router.post(f"{PATH}token/", dependencies=[manage])
    def token_for_program(
        request: Request, token: Field = "", name: Field = "", role: Field = "", days: Field = "365"
    ) -> Response:
        actor = check_form(request, token).actor()
        try:
            made = accounts.add_token(name.strip(), _role(role), _days(days) * _DAY_NS, actor)
        except BadInput as error:
            return _page(services, request, str(error), 422)
        return services.pages.reply(request, "program_token.html", name=name, made=made.reveal())

    return router


def _change(accounts: Accounts, what: str, name: str, role: str, password: Secret, actor: Actor) -> None:
    """Raises BadInput."""
    match what:
        case "add":
            accounts.add(name.strip(), _role(role), password, actor)
        case "role":
            accounts.set_role(name, _role(role), actor)
        case "password":
            accounts.set_password(name, password, actor)
        case "sign-out":
            accounts.sign_out_everywhere(name, actor)
        case "remove":
            accounts.remove(name, actor)
        case "remove-token":
            accounts.remove_token(name, actor)
        case _:
            raise HTTPException(404, "no such action")


def _page(services: AccessServices, request: Request, error: str = "", status: int = 200) -> Response:
    return services.pages.reply(
        request,
        "accounts.html",
        status=status,
        accounts=services.accounts.all(),
        tokens=services.accounts.tokens(),
        roles=[(role.value, f"{role.value}: {ROLE_WORDS[role]}") for role in Role],
        token=account_of(request).form_token,
        error=error,
    )


def _role(word: str) -> Role:
    if word not in {role.value for role in Role}:
        raise BadInput("role", [Problem("", f"must be one of {', '.join(role.value for role in Role)}")])
    return Role(word)


def _days(text: str) -> int:
    """0: no end. Raises BadInput."""
    days = whole_number(text, 0, _LONGEST_DAYS)
    if days is None:
        raise BadInput("days", [Problem("", f"must be a whole number, 0 (no end) to {_LONGEST_DAYS}")])
    return days
