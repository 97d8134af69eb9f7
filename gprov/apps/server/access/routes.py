"""All pages about access."""

from __future__ import annotations

from fastapi import APIRouter

from gprov.apps.server.access.account_routes import PATH as ACCOUNTS
from gprov.apps.server.access.account_routes import account_routes
from gprov.apps.server.access.audit_routes import PATH as AUDIT
from gprov.apps.server.access.audit_routes import audit_routes
from gprov.apps.server.access.sign_in_routes import AccessServices, sign_in_routes
from gprov.apps.server.access.unit_action_routes import unit_action_routes
from gprov.apps.server.pages.rendering import NavigationItem
from gprov.apps.server.store.queries import Queries
from gprov.domain.factory.accounts import Role

NAVIGATION = (
    NavigationItem("Audit trail", AUDIT, Role.OPERATE.value),
    NavigationItem("Accounts", ACCOUNTS, Role.MANAGE.value),
)
ISOLATED = (
    "Isolated network: everyone who reaches this server reads all that it has but passwords, and can get those of a"
    " unit that is not provisioned yet."
)


def access_routes(services: AccessServices, queries: Queries) -> APIRouter:
    router = APIRouter()
    router.include_router(sign_in_routes(services))
    router.include_router(unit_action_routes(services, queries))
    router.include_router(account_routes(services))
    router.include_router(audit_routes(services))
    return router
