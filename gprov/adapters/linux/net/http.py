"""Http port on requests."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from gprov.adapters.linux.net.bounded import TookTooLong, within
from gprov.adapters.linux.net.partial import PartialFile, open_partial
from gprov.adapters.linux.net.transport import Answer, Broken, exchange
from gprov.domain.errors import NetworkFault
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Fetched, Http, Reply, TransferProgress
from gprov.ports.retry import growing_pauses, retried

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds
_REPORT_EVERY = 1 << 20  # bytes
_LEAST_PER_STALL = 64 << 10  # bytes: less than that within the stall deadline is a stalled transfer too
# Client errors that mean "not now"; every other one means "never".
_TRANSIENT = frozenset({408, 425, 429})


class RequestsHttp(Http):
    """``ca_file``: certificates to trust instead of the usual ones."""

    def __init__(self, clock: Clock, *, ca_file: str | None = None) -> None:
        self._clock = clock
        self._ca_file = ca_file

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        _check(url)
        deadline = Deadline(self._clock, seconds)

        def whole() -> Reply:
            with exchange(method, url, headers or {}, body, seconds=seconds, ca_file=self._ca_file) as answer:
                return _read_whole(answer, url, limit, deadline)

        try:
            return within(seconds, whole, lambda _: None)
        except TookTooLong as exc:
            raise NetworkFault(redacted(url), f"no whole answer within {seconds:g} s") from exc
        except Broken as exc:
            raise NetworkFault(redacted(url), str(exc)) from exc

    @override
    def download(
        self,
        url: str,
        target: str,
        progress: TransferProgress,
        *,
        stall_seconds: float = 60.0,
        attempts: int = 6,
    ) -> Fetched:
        _check(url)
        with open_partial(target) as partial:
            pauses = growing_pauses(_FIRST_PAUSE, _LONGEST_PAUSE, attempts)
            try:
                return retried(
                    self._clock, lambda: self._attempt(url, partial, progress, stall_seconds), pauses, Broken
                )
            except Broken as exc:
                tries = f" ({attempts} attempts)" if attempts > 1 else ""
                raise NetworkFault(redacted(url), f"{exc}{tries}") from exc

    def _attempt(self, url: str, partial: PartialFile, progress: TransferProgress, stall_seconds: float) -> Fetched:
        resume = partial.resume_headers()
        with exchange("GET", url, resume, seconds=stall_seconds, ca_file=self._ca_file) as answer:
            if answer.status == 206 and resume:
                partial.check_rest(answer.headers)
            elif answer.status == 200:
                partial.restart(answer.headers, answer.length)
            else:
                _refuse(answer, url, partial)
            self._receive(answer, partial, progress, stall_seconds)
        if partial.total and partial.size != partial.total:
            raise Broken(f"ended after {partial.size} of {partial.total} bytes")
        progress(partial.size, partial.total or partial.size)
        return partial.finish()

    def _receive(self, answer: Answer, partial: PartialFile, progress: TransferProgress, stall_seconds: float) -> None:
        reported = moved = partial.size
        window = Deadline(self._clock, stall_seconds)
        for block in answer.blocks():
            partial.write(block)
            if partial.size - reported >= _REPORT_EVERY:
                reported = partial.size
                progress(partial.size, partial.total)
            if partial.size - moved >= _LEAST_PER_STALL:
                moved = partial.size
                window = Deadline(self._clock, stall_seconds)
            elif window.passed:
                raise Broken(f"only {partial.size - moved} bytes came within {stall_seconds:g} s")


def _check(url: str) -> None:
    problem = url_problem(url)
    if problem:
        raise NetworkFault(redacted(url), problem)


def _refuse(answer: Answer, url: str, partial: PartialFile) -> None:
    """An answer without the file: Broken if it may get better, NetworkFault if not."""
    reason = f"answered {answer.described()}"
    if answer.status == 416:  # our part does not exist: it is another file now
        partial.restart({}, None)
        raise Broken("the file on the server changed")
    if answer.status >= 500 or answer.status in _TRANSIENT:
        raise Broken(reason)
    raise NetworkFault(redacted(url), "not found (404)" if answer.status == 404 else reason)


def _read_whole(answer: Answer, url: str, limit: int, deadline: Deadline) -> Reply:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NetworkFault(redacted(url), "sent its answer encoded, which was not asked for")
    body = bytearray()
    for block in answer.blocks():
        body += block
        if len(body) > limit:
            raise NetworkFault(redacted(url), f"its answer is longer than {limit} bytes")
        if deadline.passed:
            raise Broken("its answer did not end in time")
    return Reply(answer.status, bytes(body))
