"""The chain of the audit trail: any change of it is found, and where."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.factory.audit import (
    EMPTY,
    Actor,
    AuditAction,
    AuditEntry,
    Link,
    Mark,
    RefusalBudget,
    chain_problems,
    digest_of,
    mark_text,
    members_of,
    parse_mark,
)

Chain = list[Link]
ENTRIES = st.lists(
    st.builds(
        AuditEntry,
        number=st.just(0),
        time_ns=st.integers(0, 2**63 - 1),
        action=st.sampled_from(AuditAction),
        serial=st.text(max_size=10),
        actor=st.builds(Actor, st.text(max_size=10), st.text(max_size=10)),
        detail=st.text(max_size=10),
    ),
    min_size=1,
    max_size=8,
)


def chained(entries: list[AuditEntry]) -> Chain:
    chain, before = list[Link](), EMPTY.digest
    for number, entry in enumerate(entries, 1):
        members = members_of(replace(entry, number=number))
        before = digest_of(members, before)
        chain.append(Link(number, members, before))
    return chain


def problems(chain: Chain, last: Mark, noted: Mark | None = None) -> list[str]:
    return [str(problem) for problem in chain_problems(chain, last, noted)]


def mark(chain: Chain) -> Mark:
    return Mark(len(chain), chain[-1].digest)


def test_the_digest_is_what_the_documentation_says() -> None:
    entry = AuditEntry(
        number=1, time_ns=5, action=AuditAction.REVEALED, serial="SN", actor=Actor("root", 'b"ü'), detail="os 1"
    )
    text = b'[1, 5, "revealed", "SN", "root", "b\\"\\u00fc", "os 1"]'
    assert digest_of(members_of(entry), bytes(32)) == hashlib.sha256(bytes(32) + text).digest()


@given(ENTRIES, st.data())
def test_an_untouched_chain_has_no_problems_for_any_state_noted_before(
    entries: list[AuditEntry], data: st.DataObject
) -> None:
    chain = chained(entries)
    earlier = data.draw(st.integers(1, len(chain)))
    for noted in (None, EMPTY, mark(chain[:earlier])):
        assert problems(chain, mark(chain), noted) == []
    assert problems([], EMPTY) == []


@given(ENTRIES, ENTRIES, st.data())
def test_a_changed_entry_is_found(entries: list[AuditEntry], others: list[AuditEntry], data: st.DataObject) -> None:
    chain = chained(entries)
    at = data.draw(st.integers(0, len(chain) - 1))
    changed = members_of(replace(others[0], number=at + 1))
    if changed == chain[at].members:
        return
    tampered = [*chain[:at], replace(chain[at], members=changed), *chain[at + 1 :]]
    assert problems(tampered, mark(chain)) == [f"entry {at + 1}: was changed"]


@given(ENTRIES, st.data())
def test_removed_entries_are_found_at_any_place(entries: list[AuditEntry], data: st.DataObject) -> None:
    chain = chained(entries)
    first = data.draw(st.integers(0, len(chain) - 1))
    last = data.draw(st.integers(first, len(chain) - 1))
    found = problems([*chain[:first], *chain[last + 1 :]], mark(chain))
    where = f"entry {first + 1}" if first == last else f"entries {first + 1} to {last + 1}"
    assert found == [f"{where}: missing"]


@given(ENTRIES, ENTRIES)
def test_a_chain_that_was_computed_anew_is_not_the_one_that_is_vouched_for(
    entries: list[AuditEntry], others: list[AuditEntry]
) -> None:
    chain, forged = chained(entries), chained(others)
    if len(chain) == len(forged) and chain != forged:
        assert problems(forged, mark(chain)) == [f"the store vouches for {len(chain)} entries, and these are others"]


def test_a_store_that_was_set_back_contradicts_what_was_noted() -> None:
    entry = AuditEntry(number=0, time_ns=1, action=AuditAction.MADE, serial="1", actor=Actor("unit"))
    chain = chained([replace(entry, time_ns=time) for time in range(5)])
    back = chain[:3]
    assert problems(back, mark(back)) == []
    assert problems(back, mark(back), mark(chain)) == [
        "entries 4 to 5: missing: they were there when the digest was noted"
    ]
    other = chained([replace(entry, time_ns=time + 7) for time in range(5)])
    assert problems(other, mark(other), mark(back)) == ["entry 3: is not the one with the digest that was noted"]


@pytest.mark.parametrize(
    "text", ["", "1", ":", "1:ab", f"-1:{'a' * 64}", f"x:{'a' * 64}", f"1:{'a' * 63}x", "²:" + "a" * 64]
)
def test_what_is_no_mark(text: str) -> None:
    assert parse_mark(text) is None


@given(st.builds(Mark, st.integers(0, 10**9), st.binary(min_size=32, max_size=32)))
def test_marks_as_text(noted: Mark) -> None:
    assert parse_mark(mark_text(noted)) == noted


def test_refusals_are_counted_where_they_are_too_many_to_be_recorded() -> None:
    budget = RefusalBudget(2, 100)
    assert [budget.take(now) for now in (1000, 1001, 1002, 1050, 1099)] == [0, 0, None, None, None]
    assert [budget.take(now) for now in (1100, 1101, 1102)] == [3, 0, None]
    assert budget.take(500) == 1  # the clock was set back: that window will not end soon
