"""What every pair of TrustStore and Http must do with a server's certificate: against the simulated origin here, with
TLS on real sockets in tests/integ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import pytest

from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.unit.trust import OwnCa, ServerTrust, SystemCas, parse_ca
from gprov.ports.network import Http, TrustStore

CONTENT = b"content"


class Shown(Enum):
    """The certificate that a server shows."""

    GOOD = "good"
    OTHER_CA = "other-ca"
    OTHER_NAME = "other-name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"


class TrustWorld(Protocol):
    """``url``: https, with CONTENT; ``plain_url``: the same with http; ``ca_url``: its CA's certificate."""

    http: Http
    trust: TrustStore
    url: str
    plain_url: str
    ca_url: str
    ca: OwnCa

    def show(self, certificate: Shown) -> None: ...


@dataclass(frozen=True)
class Case:
    """``own``: the factory's CA is trusted, else the system's. ``problem``: in the message; "" if it is accepted."""

    shown: Shown
    own: bool = True
    check_dates: bool = True
    problem: str = ""


CASES = (
    Case(Shown.GOOD),
    Case(Shown.GOOD, check_dates=False),
    Case(Shown.OTHER_CA, problem="certificate is not valid"),
    Case(Shown.OTHER_CA, check_dates=False, problem="certificate is not valid"),
    Case(Shown.OTHER_NAME, problem="mismatch"),
    Case(Shown.OTHER_NAME, check_dates=False, problem="mismatch"),
    Case(Shown.EXPIRED, problem="expired"),
    Case(Shown.EXPIRED, check_dates=False),
    Case(Shown.NOT_YET_VALID, problem="not yet valid"),
    Case(Shown.NOT_YET_VALID, check_dates=False),
    Case(Shown.GOOD, own=False, problem="certificate is not valid"),
)


def check_case(world: TrustWorld, case: Case) -> None:
    trust: ServerTrust = world.ca if case.own else SystemCas()
    world.show(case.shown)
    world.trust.use(trust, check_dates=case.check_dates)
    if not case.problem:
        assert world.http.request("GET", world.url).body == CONTENT
        return
    with pytest.raises(NetworkFault, match=case.problem):
        world.http.request("GET", world.url)


def check_without_trust(world: TrustWorld) -> None:
    with pytest.raises(RefusedByPolicy, match="no CA is known"):
        world.http.request("GET", world.url)
    assert world.http.request("GET", world.plain_url).body == CONTENT


def check_fetch(world: TrustWorld) -> None:
    """The certificate comes from a server that is not verified; that does not make it trusted."""
    for shown in Shown:
        world.show(shown)
        assert parse_ca("fetched", world.trust.fetch_ca(world.ca_url)) == world.ca
    with pytest.raises(NetworkFault, match="no CA certificate there"):
        world.trust.fetch_ca(f"{world.ca_url}.missing")
    check_without_trust(world)
