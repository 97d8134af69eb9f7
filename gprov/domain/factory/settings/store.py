"""[store]: where records are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Doc

from gprov.domain.factory.settings.kinds import Checked, Section, Whole, refusal

_SCHEME = "postgresql"


def database_url(text: str) -> str:
    """Raises BadInput. Messages do not quote the text, which may hold a password."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        raise refusal(f"is no URL: {_SCHEME}://user@host/name") from None
    if parts.scheme != _SCHEME or not text.startswith(f"{_SCHEME}://"):
        raise refusal(f"must begin with {_SCHEME}://; empty for SQLite")
    if any("password" in key.lower() for key in parse_qs(parts.query, keep_blank_values=True)):
        raise refusal("must not have a password in its query")
    return text


DATABASE = Checked(fit=database_url, empty=True)


@dataclass(frozen=True, kw_only=True)
class StoreSettings(Section):
    database: Annotated[
        str,
        DATABASE,
        Doc("empty: SQLite in the data folder; or a PostgreSQL database, `postgresql://user@host/name`"),
    ] = field(default="", repr=False)

    keep_days: Annotated[
        int,
        Whole(0, 36500),
        Doc("after which events and documents of a unit that has not reported since are removed; 0: never"),
    ] = 0

    @property
    def keep_ns(self) -> int:
        return self.keep_days * 24 * 3600 * 10**9

    @property
    def has_password(self) -> bool:
        return bool(urlsplit(self.database).password)
