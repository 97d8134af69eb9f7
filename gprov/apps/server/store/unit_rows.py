"""Which session may change a unit, in the store (``gprov.domain.factory.unit_access``)."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from gprov.apps.server.store.rows import Origin
from gprov.apps.server.store.tables import sessions, units
from gprov.domain.factory.unit_access import UnitAccess


def access_of(db: Connection, unit: int) -> UnitAccess:
    """``unit``: its row number."""
    row = db.execute(select(units).where(units.c.id == unit)).one()
    return UnitAccess(
        provisioner=row.provisioner,
        holder=row.holder,
        key=row.unit_key,
        next_key=row.next_key,
        returned=row.returned,
        unproven=row.unproven,
        sealed=row.sealed,
        open_until_ns=row.open_until_ns,
        concern=row.concern,
    )


def save_access(db: Connection, unit: int, access: UnitAccess) -> None:
    db.execute(
        update(units)
        .where(units.c.id == unit)
        .values(
            provisioner=access.provisioner,
            holder=access.holder,
            unit_key=access.key,
            next_key=access.next_key,
            returned=access.returned,
            unproven=access.unproven,
            sealed=access.sealed,
            open_until_ns=access.open_until_ns,
            concern=access.concern,
        )
    )


def add_concern(db: Connection, unit: int, concern: str) -> None:
    save_access(db, unit, access_of(db, unit).with_concern(concern))


def is_proven(db: Connection, origin: Origin) -> bool:
    proven: bool = db.execute(select(sessions.c.proven).where(sessions.c.id == origin.session)).scalar_one()
    return proven


def set_proven(db: Connection, origin: Origin) -> None:
    db.execute(update(sessions).where(sessions.c.id == origin.session).values(proven=True))


def forget_proofs(db: Connection, unit: int) -> None:
    """Sessions that have shown the unit's secret are like all others from now on."""
    db.execute(update(sessions).where(sessions.c.unit == unit, sessions.c.proven).values(proven=False))
