"""Statements in the dialect of the database, and rows of any statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Table, TextClause, insert, text
from sqlalchemy.dialects import postgresql, sqlite

AnyRow = Row[*tuple[Any, ...]]
# Inserts a row or finds it there. Both have ``on_conflict_do_nothing``, ``on_conflict_do_update`` and ``excluded``.
Upsert = postgresql.Insert | sqlite.Insert


def upsert(db: Connection, table: Table) -> Upsert:
    return upsert_of(db.dialect.name, table)


def upsert_of(dialect: str, table: Table) -> Upsert:
    """``dialect``: name of the database."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def add_rows(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Many rows of numbers and texts, with a value for each column."""
    if db.dialect.name == "postgresql":  # one message to it, not one for each row
        db.execute(_from_arrays(table), {name: [row[name] for row in rows] for name in table.columns.keys()})
    else:
        db.execute(_plain(table), list(rows))


_plain = cache(insert)


@cache
def _from_arrays(table: Table) -> TextClause:
    kinds = {column.name: "bigint" if isinstance(column.type, BigInteger) else "text" for column in table.columns}
    names = ", ".join(f'"{name}"' for name in kinds)
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in kinds.items())
    # Names of this program, no values.
    return text(f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})")  # noqa: S608
