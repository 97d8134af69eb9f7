"""Statements in the dialect of the database, and rows of any statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

AnyRow = Row[*tuple[Any, ...]]
# Inserts a row or finds it there. Both have ``on_conflict_do_nothing``, ``on_conflict_do_update`` and ``excluded``.
Upsert = postgresql.Insert | sqlite.Insert


def upsert(db: Connection, table: Table) -> Upsert:
    return upsert_of(db.dialect.name, table)


def upsert_of(dialect: str, table: Table) -> Upsert:
    """``dialect``: name of the database."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
