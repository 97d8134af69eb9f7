"""The tables of the store, for SQLite and PostgreSQL.

Times are nanoseconds since 1970, UTC, of this server's clock, except ``events.time_ns``, which is the unit's. Texts are
compared and sorted by code point with both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects import postgresql

TABLES = MetaData()

_TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# SQLite makes row numbers only for a column of exactly this type.
_ROW = BigInteger().with_variant(Integer(), "sqlite")


def _row_number() -> Column[int]:
    return Column("id", _ROW, primary_key=True)


def _unit() -> Column[int]:
    return Column("unit", _ROW, ForeignKey("units.id"), nullable=False)


def _session() -> Column[int]:
    return Column("session", _ROW, ForeignKey("sessions.id"), nullable=False)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, _TEXT, nullable=False, server_default=default)


def _integer(name: str, default: str | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=default and text(default))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


# One row: what made the tables.
store_version = Table("store_version", TABLES, _integer("version"))

units = Table(
    "units",
    TABLES,
    _row_number(),
    Column("serial", _TEXT, nullable=False, unique=True),
    _text("code_name", ""),
    _text("state", "UNKNOWN"),
    Column("state_session", _ROW),
    _integer("state_ns"),
    _text("provisioning", "UNKNOWN"),
    _flag("sealed"),
    _integer("open_until_ns", "0"),
    # ``gprov.domain.factory.unit_access``; sessions by row number, 0 for none.
    _integer("provisioner", "0"),
    _integer("holder", "0"),
    _text("unit_key", ""),
    _text("next_key", ""),
    _flag("returned"),
    _flag("unproven"),
    _text("concern", ""),
    # Since its last report, its events and documents were removed: they are old.
    _flag("cleared"),
    _integer("last_seq", "0"),
    # Bytes of its events.
    _integer("log_bytes", "0"),
    # It was never provisioned or erased, and got no passwords: it may be made up, and may be removed.
    Column("candidate", Boolean, nullable=False, server_default=true()),
    _integer("first_seen_ns"),
    _integer("last_seen_ns"),
    Index("units_by_activity", "last_seen_ns", "id"),
    Index("units_to_clear", "cleared", "last_seen_ns"),
    Index("units_candidates", "candidate", "last_seen_ns"),
    Index("units_by_platform", "code_name", "last_seen_ns", "id"),
)

# MACs of network interfaces (``bmc`` false), and of the management controller, which have no name.
macs = Table(
    "macs",
    TABLES,
    Column("unit", _ROW, ForeignKey("units.id"), primary_key=True),
    Column("bmc", Boolean, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("name"),
    _text("mac"),
    Index("macs_by_address", "mac"),
)

# ``key``: SHA-256 of the session's name, which is a secret: with it, a unit's passwords can be asked for. ``proven``:
# the session has shown the unit's secret.
sessions = Table(
    "sessions",
    TABLES,
    _row_number(),
    _unit(),
    _text("key"),
    _integer("number"),
    _flag("direct"),
    _flag("proven"),
    _integer("last_number", "-1"),
    UniqueConstraint("unit", "key"),
    UniqueConstraint("unit", "number"),
)

# One-time tokens of provisionings. ``digest``: SHA-256. ``serials``: JSON list of serial numbers. ``issued_by``: a
# person, or the address that asked for an iPXE script.
start_tokens = Table(
    "start_tokens",
    TABLES,
    _row_number(),
    Column("digest", _TEXT, nullable=False, unique=True),
    _text("serials"),
    _integer("issued_ns"),
    _integer("expires_ns"),
    _integer("uses_left"),
    _text("issued_by"),
    Index("start_tokens_by_expiry", "expires_ns"),
)

start_token_uses = Table(
    "start_token_uses",
    TABLES,
    Column("token", _ROW, ForeignKey("start_tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("session", _ROW, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
_IS_ERROR = text("type = 'ERROR'")

# Notes of the server have neither session nor number.
events = Table(
    "events",
    TABLES,
    Column("unit", _ROW, ForeignKey("units.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("session", _ROW, ForeignKey("sessions.id")),
    Column("number", BigInteger),
    _integer("time_ns"),
    _integer("received_ns"),
    _text("type"),
    _text("body"),
    Index("events_once", "session", "number", unique=True),
    # Few of all: why a unit failed.
    Index("events_errors", "session", "number", sqlite_where=_IS_ERROR, postgresql_where=_IS_ERROR),
    sqlite_with_rowid=False,
)

states = Table(
    "states",
    TABLES,
    _row_number(),
    _unit(),
    _session(),
    _text("state"),
    _integer("received_ns"),
    _text("verdict"),
    Index("states_of_unit", "unit", "id"),
    Index("states_of_session", "session", "id"),
    Index("states_by_time", "received_ns", "state", "verdict", "unit"),
)

documents = Table(
    "documents",
    TABLES,
    _row_number(),
    _unit(),
    _session(),
    _text("name"),
    _text("kind"),
    # Bytes of the content; 0 once that was removed.
    _integer("size"),
    _text("content"),
    _text("file"),
    _integer("received_ns"),
    _integer("hold_until_ns"),
    _text("status"),
    Column("decided_ns", BigInteger),
    _text("reason", ""),
    _flag("written"),
    Index("documents_of_unit", "unit", "id"),
    Index("documents_held", "status", "hold_until_ns"),
    Index("documents_to_write", "status", "written", "id"),
    Index("documents_by_size", "status", "size"),
)

handouts = Table(
    "handouts",
    TABLES,
    _row_number(),
    _unit(),
    _session(),
    _integer("time_ns"),
    _text("peer"),
    Index("handouts_of_unit", "unit", "id"),
    Index("handouts_of_session", "session"),
)

erasures = Table(
    "erasures",
    TABLES,
    Column("sequence", _ROW, primary_key=True, autoincrement=False),
    _unit(),
    Column("report_sha256", _TEXT, nullable=False, unique=True),
    _text("key_id"),
    _bytes("certificate"),
    _bytes("signature"),
    _text("verdict"),
    _integer("issued_ns"),
    _flag("written"),
    Index("erasures_of_unit", "unit", "sequence"),
    Index("erasures_to_write", "written", "sequence"),
)

# One row: the key that encrypts the secrets, and the state of the audit trail that is sealed with it.
store_key = Table(
    "store_key",
    TABLES,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    _text("key_id"),
    _integer("last_number"),
    _bytes("last_digest"),
    _bytes("seal"),
    _flag("scrub_due"),
)

passwords = Table(
    "passwords",
    TABLES,
    Column("unit", _ROW, ForeignKey("units.id"), primary_key=True),
    Column("kind", _TEXT, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    _integer("made_ns"),
    _bytes("ciphertext"),
    sqlite_with_rowid=False,
)

rotations = Table(
    "rotations",
    TABLES,
    Column("unit", _ROW, ForeignKey("units.id"), primary_key=True),
    Column("kind", _TEXT, primary_key=True),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    TABLES,
    Column("number", _ROW, primary_key=True, autoincrement=False),
    _integer("time_ns"),
    _text("action"),
    _text("serial"),
    _text("who"),
    _text("reason"),
    _text("detail"),
    _bytes("digest"),
    Index("audit_of_serial", "serial", "number"),
)

# People. ``password``: Argon2id.
accounts = Table(
    "accounts",
    TABLES,
    Column("name", _TEXT, primary_key=True),
    _text("role"),
    _text("password"),
    _integer("made_ns"),
    _integer("seen_ns"),
    sqlite_with_rowid=False,
)

# Sessions of people. ``digest``: SHA-256 of the cookie.
signed_in = Table(
    "signed_in",
    TABLES,
    Column("digest", _TEXT, primary_key=True),
    Column("account", _TEXT, ForeignKey("accounts.name"), nullable=False),
    _integer("began_ns"),
    _integer("seen_ns"),
    Index("signed_in_of_account", "account"),
    sqlite_with_rowid=False,
)

# Tokens with which programs read the API. ``digest``: SHA-256.
api_tokens = Table(
    "api_tokens",
    TABLES,
    Column("name", _TEXT, primary_key=True),
    Column("digest", _TEXT, nullable=False, unique=True),
    _text("role"),
    _integer("made_ns"),
    _text("made_by"),
    _integer("expires_ns"),
    _integer("used_ns"),
    sqlite_with_rowid=False,
)
