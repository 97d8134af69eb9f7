"""Http port on requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from typing_extensions import override

from gprov.adapters.linux.net.call_timeout import CallTimedOut, call_with_timeout
from gprov.adapters.linux.net.partial import PartialFile, open_partial
from gprov.adapters.linux.net.server_trust import HttpTrust
from gprov.adapters.linux.net.transport import HttpResponse, TransferInterrupted, exchange
from gprov.domain.errors import NetworkFault
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Fetched, Http, Reply, TransferLimits, TransferProgress, size_problem
from gprov.ports.retry import growing_pauses, retried

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds
_REPORT_EVERY = 1 << 20  # bytes
_MIN_RATE = 32 << 10  # bytes a second: a transfer that is slower over the whole stall timeout counts as stalled
# Temporary client errors; all others are permanent.
_RETRYABLE_STATUS = frozenset({408, 425, 429})


class RequestsHttp(Http):
    """``trust``: which https servers are accepted; None: no server at all."""

    def __init__(self, clock: Clock, trust: HttpTrust | None = None) -> None:
        self._clock = clock
        self._trust = trust or HttpTrust()

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
            with exchange(method, url, headers or {}, body, seconds=seconds, tls=self._trust.context_for) as answer:
                return _read_whole(answer, url, limit, deadline)

        try:
            return call_with_timeout(seconds, whole, lambda _: None)
        except CallTimedOut as exc:
            raise NetworkFault(redacted(url), f"no whole answer within {seconds:g} s") from exc
        except TransferInterrupted as exc:
            raise NetworkFault(redacted(url), str(exc)) from exc

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        _check(url)
        attempts = limits.attempts
        with open_partial(target) as partial:
            bounds = _Bounds(self._clock, limits, partial)
            try:
                return retried(
                    self._clock,
                    lambda: self._attempt(url, partial, progress, bounds),
                    _pauses(attempts, bounds),
                    TransferInterrupted,
                )
            except TransferInterrupted as exc:
                if not bounds.remaining:
                    raise NetworkFault(redacted(url), f"{bounds.described()}: {exc}") from exc
                tries = f" ({attempts} attempts)" if attempts > 1 else ""
                raise NetworkFault(redacted(url), f"{exc}{tries}") from exc

    def _attempt(self, url: str, partial: PartialFile, progress: TransferProgress, bounds: _Bounds) -> Fetched:
        resume = partial.resume_headers()
        # Never 0: an attempt without time left must fail like any other.
        seconds = max(0.1, min(bounds.limits.stall_seconds, bounds.remaining))
        with exchange("GET", url, resume, seconds=seconds, tls=self._trust.context_for) as answer:
            if answer.status == 206 and resume:
                partial.check_continuation(answer.headers, answer.length)
            elif answer.status == 200:
                partial.begin(answer.headers, answer.length)
            else:
                _raise_for_status(answer, url, partial)
            problem = bounds.problem_of(partial.total) if partial.total else None
            if problem:
                raise _refused(url, partial, f"has {partial.total} bytes, {problem}")
            self._receive(answer, url, partial, progress, bounds)
        expected = partial.total or bounds.limits.exact or partial.size
        if partial.size != expected:
            raise TransferInterrupted(f"ended after {partial.size} of {expected} bytes")
        progress(partial.size, partial.total or partial.size)
        return partial.finish()

    def _receive(
        self, answer: HttpResponse, url: str, partial: PartialFile, progress: TransferProgress, bounds: _Bounds
    ) -> None:
        reported = moved = partial.size
        stall_seconds = bounds.limits.stall_seconds
        min_bytes = int(_MIN_RATE * stall_seconds)
        window = Deadline(self._clock, stall_seconds)
        for block in answer.blocks():
            if partial.size + len(block) > bounds.most:
                raise _refused(url, partial, f"does not end, {bounds.problem_of(bounds.most + 1)}")
            partial.write(block)
            if partial.size - reported >= _REPORT_EVERY:
                reported = partial.size
                progress(partial.size, partial.total)
            if not bounds.remaining:
                raise TransferInterrupted(f"{partial.size} of {partial.total or 'an unknown number of'} bytes came")
            if partial.size - moved >= min_bytes:
                moved = partial.size
                window = Deadline(self._clock, stall_seconds)
            elif window.passed:
                raise TransferInterrupted(f"only {partial.size - moved} bytes came within {stall_seconds:g} s")


class _Bounds:
    """What is left of the limits of a whole download."""

    def __init__(self, clock: Clock, limits: TransferLimits, partial: PartialFile) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._partial = partial
        self.limits = limits
        self.most = limits.room if limits.exact is None else min(limits.room, limits.exact)

    @property
    def seconds(self) -> float:
        return self.limits.seconds_for(self.limits.exact or self._partial.total or self._partial.size)

    @property
    def remaining(self) -> float:
        """Seconds; 0 if the time is over."""
        return max(0.0, self._began + self.seconds - self._clock.monotonic())

    def problem_of(self, size: int) -> str | None:
        return size_problem(self.limits, size)

    def described(self) -> str:
        expected = f"at least {self.limits.rate / 1024:g} KiB/s are expected on average"
        return f"not finished within {self.seconds:.0f} s ({expected}; check the network and the load of the server)"


def _pauses(attempts: int, bounds: _Bounds) -> Iterator[float]:
    """Seconds between attempts: none after the deadline of the whole download, and none beyond it."""
    for pause in growing_pauses(_FIRST_PAUSE, _LONGEST_PAUSE, attempts):
        if not bounds.remaining:
            return
        yield min(pause, bounds.remaining)


def _refused(url: str, partial: PartialFile, reason: str) -> NetworkFault:
    """Empty the partial file, to release its space, and return the error."""
    partial.restart({}, None)
    return NetworkFault(redacted(url), reason)


def _check(url: str) -> None:
    problem = url_problem(url)
    if problem:
        raise NetworkFault(redacted(url), problem)


def _raise_for_status(answer: HttpResponse, url: str, partial: PartialFile) -> None:
    """Raise TransferInterrupted for temporary statuses, else NetworkFault."""
    reason = f"answered {answer.described()}"
    if answer.status == 416:  # the requested range does not exist: the file changed
        partial.restart({}, None)
        raise TransferInterrupted("the file on the server changed")
    if answer.status >= 500 or answer.status in _RETRYABLE_STATUS:
        raise TransferInterrupted(reason)
    raise NetworkFault(redacted(url), "not found (404)" if answer.status == 404 else reason)


def _read_whole(answer: HttpResponse, url: str, limit: int, deadline: Deadline) -> Reply:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NetworkFault(redacted(url), "sent its answer encoded, which was not asked for")
    body = bytearray()
    for block in answer.blocks():
        body += block
        if len(body) > limit:
            raise NetworkFault(redacted(url), f"its answer is longer than {limit} bytes")
        if deadline.passed:
            raise TransferInterrupted("its answer did not end in time")
    return Reply(answer.status, bytes(body), answer.length)
