"""Making the tables of a new store, and refusing the store of a newer gprov.

Until the first release there is one version. A later one adds steps here, which run in the transaction that finds an
older version.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, inspect, select

from gprov.apps.server.store.tables import TABLES, store_version
from gprov.domain.errors import DeviceFault

VERSION = 1

_APPEND_ONLY = "the audit trail is append-only"
# By dialect; SQL has no common form of triggers.
_TRIGGERS = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_is_not_{name} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        for name, verb in (("changed", "UPDATE"), ("shortened", "DELETE"))
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$""",
        """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}


def make_tables(db: Connection, name: str) -> None:
    """Within a transaction of the caller. ``name``: of the store, for messages. Raises DeviceFault."""
    if inspect(db).has_table(store_version.name):
        version = db.execute(select(store_version.c.version)).scalar_one()
        if version > VERSION:
            raise DeviceFault(name, f"was written by a newer gprov (version {version}, this one has {VERSION})")
        return
    TABLES.create_all(db, checkfirst=False)
    for statement in _TRIGGERS[db.dialect.name]:
        db.exec_driver_sql(statement)
    db.execute(insert(store_version).values(version=VERSION))
