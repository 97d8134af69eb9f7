"""Token buckets: how often something is allowed, for each client and for all of them together.

A bucket holds ``burst`` tokens and gains ``per_minute`` a minute. Memory is bounded: a client whose bucket is full
again is forgotten, which changes nothing. If there are more others than the table holds, further clients share one
bucket, so that a peer with many addresses gets no more than one client does; clients in the table keep theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_MINUTE_NS = 60 * 10**9
_SHARED = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst``: at once, after a pause; at least 1."""

    per_minute: float
    burst: float

    @property
    def per_ns(self) -> float:
        return self.per_minute / _MINUTE_NS


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ns: int

    def fill(self, rate: Rate, now_ns: int) -> None:
        passed = max(0, now_ns - self.at_ns)  # a clock that was set back gives nothing
        self.tokens = min(rate.burst, self.tokens + passed * rate.per_ns)
        self.at_ns = now_ns

    def wait_ns(self, rate: Rate, amount: float) -> int:
        """Until it has that many tokens; 0 if it has them."""
        missing = amount - self.tokens
        return max(1, round(missing / rate.per_ns)) if missing > 1e-9 else 0


class RateLimiter:
    """``each``: for one client. ``total``: for all together; None: no such limit. ``most``: clients in the table."""

    def __init__(self, each: Rate, total: Rate | None = None, most: int = 4096) -> None:
        self._each = each
        self._total = total
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()  # those that were used least recently first
        self._shared = _Bucket(each.burst, 0)
        self._all = _Bucket(total.burst if total else 0.0, 0)

    def take(self, client: str, now_ns: int, amount: float = 1.0) -> int:
        """Take tokens of the client and of all. Returns 0; or, if they are not there, takes none and returns the time
        until they will be (ns)."""
        bucket = self._bucket(client, now_ns)
        wait = bucket.wait_ns(self._each, min(amount, self._each.burst))
        if self._total is not None:
            self._all.fill(self._total, now_ns)
            wait = max(wait, self._all.wait_ns(self._total, min(amount, self._total.burst)))
        if wait == 0:
            bucket.tokens -= amount
            self._all.tokens -= amount if self._total is not None else 0.0
        return wait

    def __len__(self) -> int:
        """Clients in the table."""
        return len(self._buckets)

    def _bucket(self, client: str, now_ns: int) -> _Bucket:
        found = self._buckets.get(client)
        if found is None:
            if len(self._buckets) >= self._most and not self._forgot_one(now_ns):
                found = self._shared
            else:
                found = self._buckets[client] = _Bucket(self._each.burst, now_ns)
        else:
            self._buckets.move_to_end(client)
        found.fill(self._each, now_ns)
        return found

    def _forgot_one(self, now_ns: int) -> bool:
        """Whether the client that was not seen for the longest time had a full bucket, and was removed."""
        client, bucket = next(iter(self._buckets.items()))
        bucket.fill(self._each, now_ns)
        if bucket.tokens < self._each.burst:
            return False
        del self._buckets[client]
        return True
