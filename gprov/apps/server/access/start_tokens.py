"""One-time tokens of provisionings in the store. Functions within a transaction of the caller, unless they say
otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import start_token_uses, start_tokens
from gprov.domain.factory.start_token import IssuedToken

# Unused and used ones that are kept; those that expire first go first. Anyone on the network can ask for iPXE scripts,
# whose tokens expire sooner than those of people.
KEPT = 10_000


@dataclass(frozen=True, slots=True)
class KnownToken:
    """``id``: row number."""

    id: int
    token: IssuedToken


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """``digest``: SHA-256 of the token. Times: UTC, ns."""

    digest: str
    serials: Iterable[str]
    issued_ns: int
    expires_ns: int
    uses: int
    issued_by: str


def add(db: Connection, new: NewToken) -> None:
    """Also removes expired tokens, and others if there are too many."""
    db.execute(delete(start_tokens).where(start_tokens.c.expires_ns < new.issued_ns))
    latest = start_tokens.c.expires_ns.desc(), start_tokens.c.id.desc()
    beyond = select(start_tokens.c.id).order_by(*latest).offset(KEPT - 1)
    db.execute(delete(start_tokens).where(start_tokens.c.id.in_(beyond)))
    db.execute(
        insert(start_tokens).values(
            digest=new.digest,
            serials=json.dumps(sorted(new.serials)),
            issued_ns=new.issued_ns,
            expires_ns=new.expires_ns,
            uses_left=new.uses,
            issued_by=new.issued_by,
        )
    )


def find(db: Connection, digest: str, session: int) -> KnownToken | None:
    row: AnyRow | None = db.execute(select(start_tokens).where(start_tokens.c.digest == digest)).first()
    if row is None:
        return None
    used = select(start_token_uses.c.token).where(
        start_token_uses.c.token == row.id, start_token_uses.c.session == session
    )
    token = IssuedToken(
        serials=frozenset(map(str, json.loads(row.serials))),
        expires_ns=row.expires_ns,
        uses_left=row.uses_left,
        used_by_session=db.execute(used).first() is not None,
    )
    return KnownToken(row.id, token)


def use(db: Connection, known: KnownToken, session: int) -> None:
    """By this session; the same again changes nothing."""
    if known.token.used_by_session:
        return
    db.execute(insert(start_token_uses).values(token=known.id, session=session))
    db.execute(update(start_tokens).where(start_tokens.c.id == known.id).values(uses_left=start_tokens.c.uses_left - 1))
