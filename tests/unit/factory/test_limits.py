"""Token buckets, turns, holdings, hosts and log lines: what clients of the factory server may do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.factory.limits.holdings import Holdings, OpenConnection, to_close
from gprov.domain.factory.limits.hosts import AllowedHosts, head_problem
from gprov.domain.factory.limits.log_text import LineBudget, one_line, shown_target
from gprov.domain.factory.limits.peers import peer_group
from gprov.domain.factory.limits.rates import Rate, RateLimiter
from gprov.domain.factory.limits.turns import Turns

SECOND = 10**9
NAMES = st.sampled_from(["a", "b", "c", "d"])


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("10.1.0.7", "10.1.0.7"),
        ("::ffff:10.1.0.7", "10.1.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_peer_groups(address: str, group: str) -> None:
    assert peer_group(address) == group


def test_a_bucket_holds_its_burst_and_fills_again() -> None:
    limiter = RateLimiter(Rate(60, 3))
    assert [limiter.take("a", 0) for _ in range(4)] == [0, 0, 0, SECOND]
    assert limiter.take("b", 0) == 0
    assert limiter.take("a", SECOND // 2) == SECOND // 2
    assert limiter.take("a", SECOND) == 0
    assert [limiter.take("a", 100 * SECOND) for _ in range(4)] == [0, 0, 0, SECOND]


def test_a_clock_that_is_set_back_gives_and_takes_nothing() -> None:
    limiter = RateLimiter(Rate(60, 1))
    assert limiter.take("a", 1000 * SECOND) == 0
    assert limiter.take("a", 0) > 0
    assert limiter.take("a", SECOND) == 0


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10 * SECOND)), max_size=200),
    st.integers(1, 5),
    st.integers(1, 60),
    st.integers(1, 8),
)
def test_nobody_gets_more_than_the_rates_allow(
    tries: list[tuple[int, int]], burst: int, per_minute: int, most: int
) -> None:
    """However many clients there are, in whatever order. A client beyond the table counts with all others there."""
    each, total = Rate(per_minute, burst), Rate(3 * per_minute, 3 * burst)
    limiter = RateLimiter(each, total, most)
    now, granted = 0, dict.fromkeys(range(41), 0)
    for client, pause in tries:
        now += pause
        wait = limiter.take(str(client), now)
        granted[client] += wait == 0
        assert len(limiter) <= most
        assert wait >= 0
    for count in granted.values():
        # Once in the table, and once with the bucket that is shared.
        assert count <= 2 * (burst + now * each.per_ns) + 1
    assert sum(granted.values()) <= total.burst + now * total.per_ns + 1e-6


@given(st.integers(1, 2000))
def test_clients_in_the_table_keep_their_tokens_when_many_others_come(others: int) -> None:
    limiter = RateLimiter(Rate(60, 5), most=50)
    assert limiter.take("unit", 0) == 0
    strangers = sum(limiter.take(f"stranger {number}", 0) == 0 for number in range(others))
    assert strangers <= 49 + 5
    assert [limiter.take("unit", 0) for _ in range(4)] == [0] * 4


def test_a_client_that_waits_as_long_as_it_is_told_is_served() -> None:
    limiter = RateLimiter(Rate(7, 2))
    limiter.take("a", 0)
    limiter.take("a", 0)
    wait = limiter.take("a", 0)
    assert limiter.take("a", wait) == 0


@given(st.lists(st.tuples(NAMES, st.integers(1, 10)), max_size=60), st.integers(1, 20))
def test_turns(requests: list[tuple[str, int]], room: int) -> None:
    """All are served, never more at once than there is room for, and the clients in turn."""
    turns: Turns[int] = Turns(room)
    weights = dict(enumerate(weight for _, weight in requests))
    clients = dict(enumerate(client for client, _ in requests))
    for number, (client, weight) in enumerate(requests):
        turns.add(client, number, weight)
    served: list[int] = []
    while len(served) < len(requests):
        busy = []
        while (started := turns.start()) is not None:
            busy.append(started)
        assert busy
        assert len(busy) == 1 or sum(weights[number] for number in busy) <= room
        for number in busy:
            turns.done(weights[number])
        served += busy
    assert sorted(served) == list(range(len(requests)))
    for client in set(clients.values()):
        own = [number for number in served if clients[number] == client]
        assert own == sorted(own)
    firsts = {clients[number] for number in served[: len(set(clients.values()))]}
    assert firsts == set(clients.values())


def test_what_waits_no_longer_is_not_served() -> None:
    turns: Turns[str] = Turns(1)
    for name in ("one", "two", "three"):
        turns.add("a", name, 1)
    turns.remove("a", "two")
    turns.remove("b", "none")
    assert turns.waiting == 2
    assert turns.start() == "one"
    assert turns.start() is None
    turns.done(1)
    assert turns.start() == "three"


@given(st.lists(st.tuples(NAMES, st.integers(0, 9), st.integers(1, 40)), max_size=80))
def test_who_holds_most_gives_way(growths: list[tuple[str, int, int]]) -> None:
    total = 100
    holdings: Holdings[tuple[str, int]] = Holdings(total)
    held: dict[tuple[str, int], int] = {}
    for client, number, amount in growths:
        holder = (client, number)
        while (victim := holdings.grow(client, holder, amount)) is not None:
            amounts = {name: sum(size for (owner, _), size in held.items() if owner == name) for name in "abcd"}
            amounts[client] += amount
            assert amounts[victim[0]] == max(amounts.values())
            holdings.release(victim)
            held.pop(victim, None)
            if victim == holder:
                break
        else:
            held[holder] = held.get(holder, 0) + amount
        assert holdings.used == sum(held.values()) <= total


CONNECTIONS = st.lists(st.builds(OpenConnection, NAMES, st.integers(0, 10**6), st.booleans()), min_size=1, max_size=80)


@given(NAMES, CONNECTIONS)
def test_which_connection_gives_way(newcomer: str, connections: list[OpenConnection[int]]) -> None:
    """One that is in use only of a client with many, and more than the newcomer."""
    counts = {name: sum(each.client == name for each in connections) for name in "abcd"}
    numbered = [OpenConnection(each.client, at, each.busy) for at, each in enumerate(connections)]
    chosen = to_close(newcomer, numbered)
    if chosen is None:
        assert all(each.busy for each in connections)
        assert all(count <= max(16, counts[newcomer] + 1) for count in counts.values())
        return
    victim = connections[chosen]
    if victim.busy:
        assert counts[victim.client] > max(16, counts[newcomer] + 1)


def test_the_client_with_most_loses_its_oldest_idle_connection() -> None:
    unit = [OpenConnection("unit", "unit", busy=True)]
    flood = [OpenConnection("flood", f"flood {number}", busy=number % 2 == 0) for number in range(100)]
    assert to_close("newcomer", unit + flood) == "flood 1"
    assert to_close("newcomer", unit + [each for each in flood if each.busy]) == "flood 0"
    assert to_close("flood", [each for each in unit + flood if each.busy]) is None


HOSTS = AllowedHosts(("10.1.0.1", "factory.example"), "https://Public.example:8443")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("factory.example", 0),
        ("FACTORY.example.:80", 0),
        ("public.example", 0),
        ("localhost:1", 0),
        ("10.9.9.9", 0),
        ("[2001:db8::1]:80", 0),
        ("example", 421),
        ("factory.example.evil", 421),
        ("10.1.0.1.evil", 421),
        ("0x7f.1", 421),
        ("", 400),
        ("a b", 400),
        ("a:b", 400),
        ("a@localhost", 400),
        ("localhost/", 400),
        ("[::1", 400),
    ],
)
def test_hosts(host: str, status: int) -> None:
    problem = HOSTS.problem(host)
    assert (problem.status if problem else 0) == status


@given(st.text(max_size=300))
def test_any_host_is_accepted_or_refused(host: str) -> None:
    problem = HOSTS.problem(host)
    assert problem is None or problem.status in {400, 421}


@given(
    st.sampled_from(["1.0", "1.1"]),
    st.lists(st.tuples(st.binary(max_size=20).map(bytes.lower), st.binary(max_size=20))),
)
def test_any_head_is_accepted_or_refused(version: str, fields: list[tuple[bytes, bytes]]) -> None:
    problem = head_problem(version, fields, HOSTS)
    assert problem is None or problem.status in {400, 411, 415, 421}


@given(st.text(max_size=300), st.integers(1, 100))
def test_a_line_of_the_log_is_one_line(text: str, most: int) -> None:
    line = one_line(text, most)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert len(line) <= 10 * most + 60


def test_what_was_left_out_is_counted() -> None:
    budget = LineBudget(1)
    assert [budget.take("a", 0) for _ in range(12)] == [0] * 10 + [None] * 2
    assert budget.take("b", 0) == 0
    assert budget.take("a", SECOND) == 2
    assert budget.take("a", SECOND) is None
    assert budget.omitted() == {"a": 1}
    assert budget.omitted() == {}


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/x", "/x"),
        ("/x?", "/x?"),
        ("/x?mac=1&serial=%20&token=secret", "/x?mac=1&serial=%20&token=***"),
        ("/x?secret", "/x?***"),
        ("/x?token=a?b=c", "/x?token=***"),
        ("/x?serial=1;token=2", "/x?serial=1;token=2"),
    ],
)
def test_values_in_queries_that_may_be_secret_are_not_logged(target: str, shown: str) -> None:
    assert shown_target(target) == shown
