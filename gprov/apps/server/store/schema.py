"""The tables of the store. ``MIGRATIONS[n]`` brings a store from version n to n+1; a released one is never edited.

Times are nanoseconds since 1970, UTC, of this server's clock, except ``events.time_ns``, which is the unit's.
"""

from __future__ import annotations

_FIRST = (
    """CREATE TABLE units (
        id INTEGER PRIMARY KEY,
        serial TEXT NOT NULL UNIQUE,
        code_name TEXT NOT NULL DEFAULT '',
        nics TEXT NOT NULL DEFAULT '[]',
        bmc TEXT NOT NULL DEFAULT '[]',
        state TEXT NOT NULL DEFAULT 'UNKNOWN',
        state_session INTEGER,
        state_ns INTEGER NOT NULL,
        provisioning TEXT NOT NULL DEFAULT 'UNKNOWN',
        sealed INTEGER NOT NULL DEFAULT 0,
        open_until_ns INTEGER NOT NULL DEFAULT 0,
        last_seq INTEGER NOT NULL DEFAULT 0,
        first_seen_ns INTEGER NOT NULL,
        last_seen_ns INTEGER NOT NULL)""",
    "CREATE INDEX units_by_activity ON units (last_seen_ns)",
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        unit INTEGER NOT NULL REFERENCES units,
        key TEXT NOT NULL,
        number INTEGER NOT NULL,
        direct INTEGER NOT NULL DEFAULT 0,
        last_number INTEGER NOT NULL DEFAULT -1,
        UNIQUE (unit, key),
        UNIQUE (unit, number))""",
    """CREATE TABLE events (
        unit INTEGER NOT NULL REFERENCES units,
        seq INTEGER NOT NULL,
        session INTEGER REFERENCES sessions,
        number INTEGER,
        time_ns INTEGER NOT NULL,
        received_ns INTEGER NOT NULL,
        type TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (unit, seq)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX events_once ON events (session, number) WHERE session IS NOT NULL",
    """CREATE TABLE states (
        id INTEGER PRIMARY KEY,
        unit INTEGER NOT NULL REFERENCES units,
        session INTEGER NOT NULL REFERENCES sessions,
        state TEXT NOT NULL,
        received_ns INTEGER NOT NULL,
        verdict TEXT NOT NULL)""",
    "CREATE INDEX states_of_unit ON states (unit, id)",
    "CREATE INDEX states_of_session ON states (session, id)",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        unit INTEGER NOT NULL REFERENCES units,
        session INTEGER NOT NULL REFERENCES sessions,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        file TEXT NOT NULL,
        received_ns INTEGER NOT NULL,
        hold_until_ns INTEGER NOT NULL,
        status TEXT NOT NULL,
        decided_ns INTEGER,
        reason TEXT NOT NULL DEFAULT '',
        written INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX documents_of_unit ON documents (unit, id)",
    "CREATE INDEX documents_held ON documents (hold_until_ns) WHERE status = 'held'",
    "CREATE INDEX documents_to_write ON documents (id) WHERE status = 'released' AND written = 0",
    """CREATE TABLE credentials (
        unit INTEGER PRIMARY KEY REFERENCES units,
        os TEXT NOT NULL,
        bios TEXT NOT NULL,
        ipmi TEXT NOT NULL,
        made_ns INTEGER NOT NULL)""",
    """CREATE TABLE handouts (
        id INTEGER PRIMARY KEY,
        unit INTEGER NOT NULL REFERENCES units,
        session INTEGER NOT NULL REFERENCES sessions,
        time_ns INTEGER NOT NULL,
        peer TEXT NOT NULL)""",
    "CREATE INDEX handouts_of_unit ON handouts (unit, id)",
)

_KINDS_OF_DOCUMENTS = ("ALTER TABLE documents ADD COLUMN kind TEXT NOT NULL DEFAULT 'qa'",)

_ERASURES = (
    """CREATE TABLE erasures (
        sequence INTEGER PRIMARY KEY,
        unit INTEGER NOT NULL REFERENCES units,
        report_sha256 TEXT NOT NULL UNIQUE,
        key_id TEXT NOT NULL,
        certificate BLOB NOT NULL,
        signature BLOB NOT NULL,
        verdict TEXT NOT NULL,
        issued_ns INTEGER NOT NULL,
        written INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX erasures_of_unit ON erasures (unit, sequence)",
    "CREATE INDEX erasures_to_write ON erasures (sequence) WHERE written = 0",
)

# ``credentials`` has passwords in plain text: ``plain_passwords`` encrypts them and drops it. Names of sessions are
# secrets, too: with one, a unit's passwords can be asked for. ``sha256_hex``: function that ``database`` adds to SQL.
_SECRETS = (
    """CREATE TABLE store_key (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        key_id TEXT NOT NULL,
        last_number INTEGER NOT NULL,
        last_digest BLOB NOT NULL,
        seal BLOB NOT NULL,
        scrub_due INTEGER NOT NULL)""",
    """CREATE TABLE passwords (
        unit INTEGER NOT NULL REFERENCES units,
        kind TEXT NOT NULL,
        version INTEGER NOT NULL,
        made_ns INTEGER NOT NULL,
        ciphertext BLOB NOT NULL,
        PRIMARY KEY (unit, kind, version)) WITHOUT ROWID""",
    """CREATE TABLE rotations (
        unit INTEGER NOT NULL REFERENCES units,
        kind TEXT NOT NULL,
        PRIMARY KEY (unit, kind)) WITHOUT ROWID""",
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        time_ns INTEGER NOT NULL,
        action TEXT NOT NULL,
        serial TEXT NOT NULL,
        who TEXT NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        digest BLOB NOT NULL)""",
    "CREATE INDEX audit_of_serial ON audit (serial, number)",
    """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    "UPDATE sessions SET key = sha256_hex(key)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _KINDS_OF_DOCUMENTS, _ERASURES, _SECRETS)
