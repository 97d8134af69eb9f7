"""The audit trail as a page, newest entries first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gprov.apps.server.access.sign_in_routes import AccessServices
from gprov.apps.server.pages.routing import page_router
from gprov.apps.server.secrets.audit_trail import newest_entries
from gprov.domain.factory.accounts import Role
from gprov.domain.factory.audit import AuditAction
from gprov.domain.factory.view.addresses import with_query

PATH = "/audit/"
_SHOWN = 200
_ACTIONS = {action.value: action for action in AuditAction}


def audit_routes(services: AccessServices) -> APIRouter:
    router = page_router(services.pages)

    @router.get(PATH, dependencies=[services.guard.require(Role.OPERATE)])
    def page(
        request: Request,
        serial: Annotated[str, Query(max_length=200)] = "",
        who: Annotated[str, Query(max_length=200)] = "",
        action: Annotated[str, Query(max_length=40)] = "",
        before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> Response:
        """``before``: number of the entry before which the page begins; 0: with the newest."""
        chosen = _ACTIONS.get(action)
        with services.database.read() as db:
            found = newest_entries(db, serial=serial, who=who, action=chosen, before=before, most=_SHOWN)
        filters = {"serial": serial, "who": who, "action": action}
        more = with_query(PATH, **filters, before=found[-1].number) if len(found) == _SHOWN else ""
        return services.pages.reply(
            request, "audit.html", entries=found, filters=filters, actions=sorted(_ACTIONS), more=more
        )

    return router
