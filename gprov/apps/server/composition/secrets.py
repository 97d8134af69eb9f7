"""Providers of passwords, of their key, and of what decides who gets them."""

from __future__ import annotations

import os

from gprov.apps.server.access.account_passwords import AccountPasswords
from gprov.apps.server.access.accounts import Accounts
from gprov.apps.server.access.sign_in import SignIn
from gprov.apps.server.access.unit_gate import GateRules, UnitGate
from gprov.apps.server.composition.store import StoreContainer
from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.secrets.credential_admin import CredentialAdmin
from gprov.apps.server.secrets.credentials import CredentialService
from gprov.apps.server.secrets.password_store import PasswordStore
from gprov.apps.server.secrets.store_key import StoreKey
from gprov.apps.server.secrets.unlocking import unlock
from gprov.apps.unit.composition.wiring import itself, singleton
from gprov.domain.factory.accounts import Times
from gprov.domain.factory.limits.rates import RateLimiter
from gprov.domain.factory.password_policy import PasswordPolicy, parse_policy
from gprov.domain.factory.settings.limits import at_once

# In the data folder; rules for passwords, where they are not the default ones.
POLICY_FILE = "credentials.toml"


def _password_policy(server: SecretsContainer) -> PasswordPolicy:
    """Raises BadInput, DeviceFault."""
    path = os.path.join(server.folder(), POLICY_FILE)
    files = server.files()
    return parse_policy(path, files.read(path)) if files.status(path) else PasswordPolicy()


def _store_key(server: SecretsContainer) -> StoreKey:
    return StoreKey(server.database(), server.keys())


def _trail(server: SecretsContainer) -> AuditTrail:
    """The store is opened with its key before anything is recorded."""
    trail = AuditTrail(server.store_key(), server.now())
    unlock(server.database(), server.store_key(), trail)
    return trail


def _passwords(server: SecretsContainer) -> PasswordStore:
    return PasswordStore(server.store_key(), server.randomness(), server.password_policy())


def _credentials(server: SecretsContainer) -> CredentialService:
    settings = server.settings()
    return CredentialService(
        server.database(),
        server.passwords(),
        server.trail(),
        server.now(),
        settings.credentials.window_ns,
        strict=settings.access.strict,
    )


def _admin(server: SecretsContainer) -> CredentialAdmin:
    return CredentialAdmin(server.database(), server.passwords(), server.trail(), server.store_key(), server.now())


def _gate(server: SecretsContainer) -> UnitGate:
    access = server.settings().access
    rules = GateRules(strict=access.strict, token_ns=access.token_ns, in_scripts=access.script_tokens)
    return UnitGate(server.database(), server.trail(), server.randomness(), server.now(), rules)


def _accounts(server: SecretsContainer) -> Accounts:
    return Accounts(server.database(), server.trail(), server.account_passwords(), server.randomness(), server.now())


def _sign_in(server: SecretsContainer) -> SignIn:
    access, limits = server.settings().access, server.settings().limits
    attempts = RateLimiter(at_once(limits.sign_ins_per_minute), at_once(limits.all_sign_ins_per_minute))
    return SignIn(
        server.database(),
        server.trail(),
        server.account_passwords(),
        server.randomness(),
        server.now(),
        Times(access.idle_ns, access.session_ns),
        attempts=attempts,
    )


class SecretsContainer(StoreContainer):
    """Adds what only the right sessions and people may have."""

    password_policy = singleton(_password_policy, itself)
    store_key = singleton(_store_key, itself)
    trail = singleton(_trail, itself)
    passwords = singleton(_passwords, itself)
    credentials = singleton(_credentials, itself)
    admin = singleton(_admin, itself)
    gate = singleton(_gate, itself)
    account_passwords = singleton(AccountPasswords)
    accounts = singleton(_accounts, itself)
    sign_in = singleton(_sign_in, itself)
