"""[access]: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.factory.settings.kinds import Number, Section

_MINUTE_NS = 60 * 10**9


class AccessMode(Enum):
    UNDECIDED = ""
    ACCOUNTS = "accounts"
    ISOLATED = "isolated"


@dataclass(frozen=True, kw_only=True)
class Access(Section):
    mode: Annotated[
        AccessMode,
        Doc(
            "`accounts`: people sign in, and each provisioning needs a one-time token; `isolated`: neither, for a"
            " network that only trusted machines and people reach. The server does not start without one of them"
        ),
    ] = AccessMode.UNDECIDED
    behind_proxy: Annotated[
        bool,
        Doc(
            "with `accounts` and without TLS: a proxy before this server encrypts the connections, and nothing else"
            " reaches the server"
        ),
    ] = False
    token_minutes: Annotated[
        float, Number(1, 7 * 24 * 60), Doc("how long the one-time token of an iPXE script can be used")
    ] = 60.0
    script_tokens: Annotated[
        bool,
        Doc("iPXE scripts have one-time tokens for the machine that asks; `false`: a person issues each token"),
    ] = True
    idle_minutes: Annotated[
        float, Number(1, 24 * 60), Doc("a person who does nothing for so long has to sign in again")
    ] = 60.0
    session_hours: Annotated[
        float, Number(0.1, 31 * 24), Doc("a person has to sign in again after so long in any case")
    ] = 12.0

    @property
    def strict(self) -> bool:
        """Whether units need tokens, and people accounts. ``service`` starts no server that is undecided."""
        return self.mode is AccessMode.ACCOUNTS

    @property
    def token_ns(self) -> int:
        return round(self.token_minutes * _MINUTE_NS)

    @property
    def idle_ns(self) -> int:
        return round(self.idle_minutes * _MINUTE_NS)

    @property
    def session_ns(self) -> int:
        return round(self.session_hours * 60 * _MINUTE_NS)
