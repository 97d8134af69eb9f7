"""[limits]: bounds for clients, so that none of them can stop the server for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.factory.limits.rates import Rate
from gprov.domain.factory.settings.kinds import Number, Section, Whole

_COUNT = Whole(1, 1_000_000)
_PER_MINUTE = Number(0.1, 1_000_000)
_SECONDS = Number(0.1, 3600)
_MEBIBYTES = Whole(1, 1 << 20)
_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class StoreBounds:
    """For what clients have stored. ``certificate_bytes``: erase certificates of units that were not provisioned here;
    ``discarded_*``: contents of discarded documents."""

    candidates: int
    candidate_bytes: int
    certificate_bytes: int
    log_bytes: int
    discarded_bytes: int
    discarded_ns: int


@dataclass(frozen=True, kw_only=True)
class Limits(Section):
    """Sizes in MiB (2^20 bytes). What is stated per minute may also come at once, after a pause of a minute."""

    connections: Annotated[
        int,
        _COUNT,
        Doc(
            "open at once; fewer if the process may not open enough files. Beyond it, the client that has most of them"
            " loses one"
        ),
    ] = 2000
    connections_per_address: Annotated[
        int, _COUNT, Doc("open at once from one address: a unit needs 3, a browser 6 to 10")
    ] = 100
    handshake_seconds: Annotated[float, _SECONDS, Doc("for the beginning of an encrypted connection")] = 10.0
    head_bytes: Annotated[int, Whole(1024, 1 << 20), Doc("of one request: method, path, query and header fields")] = (
        16384
    )
    head_seconds: Annotated[
        float, _SECONDS, Doc("for a whole head, from the start of the connection or from the first byte of the head")
    ] = 10.0
    idle_seconds: Annotated[int, Whole(1, 3600), Doc("a connection is kept without a request")] = 15
    body_seconds: Annotated[
        float, _SECONDS, Doc("for a whole body, which has at most 2 MiB, including the wait for its turn")
    ] = 60.0
    body_pause_seconds: Annotated[float, _SECONDS, Doc("between two pieces of a body")] = 10.0
    body_mebibytes: Annotated[
        int,
        Whole(4, 1 << 20),
        Doc(
            "memory for all bodies that are received or wait for their turn. Beyond it, the client that has most of"
            " them gets 503"
        ),
    ] = 64
    reply_stall_seconds: Annotated[
        float,
        _SECONDS,
        Doc("in which a client that is sent a reply must take `reply_bytes_per_second` of it on average"),
    ] = 60.0
    reply_bytes_per_second: Annotated[
        int, Whole(1, 1 << 30), Doc("slower downloads are ended; units resume theirs")
    ] = 1024
    requests_per_second: Annotated[
        float, Number(0.1, 1_000_000), Doc("from one address, 10 times as many at once; also new connections")
    ] = 100.0
    new_units_per_minute: Annotated[
        float,
        _PER_MINUTE,
        Doc("serial numbers that the server has not seen, from one address; so many starts over the network, too"),
    ] = 30.0
    all_new_units_per_minute: Annotated[float, _PER_MINUTE, Doc("the same, from all addresses")] = 600.0
    new_sessions_per_minute: Annotated[
        float, _PER_MINUTE, Doc("runs of units that the server has not seen, from one address")
    ] = 60.0
    all_new_sessions_per_minute: Annotated[float, _PER_MINUTE, Doc("the same, from all addresses")] = 2000.0
    documents_per_minute: Annotated[float, _PER_MINUTE, Doc("documents and erase reports, from one address")] = 60.0
    all_documents_per_minute: Annotated[float, _PER_MINUTE, Doc("the same, from all addresses")] = 2000.0
    credentials_per_minute: Annotated[float, _PER_MINUTE, Doc("requests for passwords, from one address")] = 30.0
    all_credentials_per_minute: Annotated[float, _PER_MINUTE, Doc("the same, from all addresses")] = 1000.0
    sign_ins_per_minute: Annotated[float, _PER_MINUTE, Doc("attempts of people to sign in, from one address")] = 20.0
    all_sign_ins_per_minute: Annotated[float, _PER_MINUTE, Doc("the same, from all addresses")] = 100.0
    candidate_units: Annotated[
        int,
        _COUNT,
        Doc(
            "candidates: units that were never provisioned or erased and got no passwords, so may be made up. Beyond"
            " it, those that have been silent for an hour are removed; if there is none, new ones are refused"
        ),
    ] = 5000
    candidate_mebibytes: Annotated[
        int, _MEBIBYTES, Doc("of events and documents of all these units; the same happens beyond it")
    ] = 1024
    certificate_mebibytes: Annotated[
        int,
        _MEBIBYTES,
        Doc(
            "of erase certificates of units that were not provisioned here: anyone can send an erase report, and"
            " certificates are never removed. Beyond it, further ones are refused (507)"
        ),
    ] = 1024
    unit_log_mebibytes: Annotated[
        int, _MEBIBYTES, Doc("of events of one unit, besides the bound of 100,000 events; the oldest go first")
    ] = 64
    discarded_mebibytes: Annotated[
        int, _MEBIBYTES, Doc("of contents of discarded documents; the oldest go first, their records stay")
    ] = 64
    discarded_days: Annotated[
        float, Number(0.01, 3650), Doc("after which the content of a discarded document is removed")
    ] = 7.0
    free_mebibytes: Annotated[
        int,
        Whole(0, 1 << 30),
        Doc(
            "room on the store's file system. Below it, new units and documents are refused (507); states and events"
            " of known units are recorded while there is any room"
        ),
    ] = 512
    log_lines_per_second: Annotated[
        float, Number(0.1, 1_000_000), Doc("of each kind, 10 times as many at once; the log says how many are left out")
    ] = 50.0
    log_line_characters: Annotated[int, Whole(100, 100_000), Doc("of one line of the log")] = 2000

    @property
    def body_memory(self) -> int:
        """Bytes."""
        return self.body_mebibytes * _MIB

    @property
    def requests(self) -> Rate:
        """Of one address."""
        return Rate(self.requests_per_second * 60, max(1.0, self.requests_per_second * 10))

    @property
    def stored(self) -> StoreBounds:
        return StoreBounds(
            candidates=self.candidate_units,
            candidate_bytes=self.candidate_mebibytes * _MIB,
            certificate_bytes=self.certificate_mebibytes * _MIB,
            log_bytes=self.unit_log_mebibytes * _MIB,
            discarded_bytes=self.discarded_mebibytes * _MIB,
            discarded_ns=round(self.discarded_days * 24 * 3600 * 10**9),
        )


def at_once(per_minute: float) -> Rate:
    """A minute's amount at once."""
    return Rate(per_minute, max(1.0, per_minute))
