"""Replies of configuration tools, and programs that do not keep the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.adapters.linux.firmware.config_tools import ProgramConfigTools
from gprov.domain.errors import BadInput, DeadlineExceeded, InternalError, ToolFailed, ToolLocked
from gprov.domain.mfg.config_tool import (
    Change,
    StorageMode,
    ToolAbility,
    parse_change,
    parse_probe,
    parse_storage,
    secret_lines,
)
from gprov.domain.unit.credentials import Secret
from gprov.ports.process import Completed

PROBE = b'{"contract": 1, "tool": "syscfg 14.1", "can": ["storage", "password"], "more": null}'
WORD = Secret("S3cret'word")


def test_replies_are_read() -> None:
    facts = parse_probe("syscfg probe", PROBE)
    assert (facts.name, facts.abilities) == ("syscfg 14.1", frozenset({ToolAbility.STORAGE, ToolAbility.PASSWORD}))
    assert parse_storage("x", b'{"value": "RAID"}') is StorageMode.RAID
    assert parse_change("x", b'{"changed": true, "restart": true, "notes": ["a"]}') == Change(True, True, ("a",))


@pytest.mark.parametrize(
    ("output", "places"),
    [
        (b"syscfg: usage", ["line 1 column 1"]),
        (b"{}", ["$.contract", "$.can", "$.tool"]),
        (b'{"contract": 2, "tool": "x", "can": []}', ["$.contract"]),
        (b'{"contract": 1, "tool": "x", "can": ["fly"]}', ["$.can"]),
    ],
)
def test_wrong_replies_to_probe(output: bytes, places: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_probe("syscfg probe", output)
    assert [problem.place for problem in caught.value.problems] == places


def test_a_reply_about_a_change_must_say_what_it_means() -> None:
    for output in (b"{}", b'{"changed": true}', b'{"changed": "yes", "restart": false}'):
        with pytest.raises(BadInput):
            parse_change("x", output)
    with pytest.raises(BadInput):
        parse_storage("x", b'{"value": "nvme"}')


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["changed", "restart", "can", "tool", "contract", "value"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_output_is_a_reply_or_a_problem(output: bytes) -> None:
    for parse in (parse_probe, parse_storage, parse_change):
        with suppress(BadInput):  # no other exception
            parse("x", output)


def test_secrets_are_lines() -> None:
    assert secret_lines((WORD, None)) == b"S3cret'word\n\n"
    with pytest.raises(InternalError):
        secret_lines((Secret("a\nb"),))


def tool(status: int, output: bytes = b"", errors: bytes = b"") -> ProgramConfigTools:
    def run(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        assert WORD.reveal().encode() in stdin
        assert WORD.reveal() not in " ".join((*argv, *env.values()))
        return Completed(status, output, errors)

    return ProgramConfigTools(FakeProcesses({"syscfg": run}), {"STATION": "7"})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (1, "exit status 1: cannot write ***"),
        (2, "does not know this verb"),
        (3, "is not for this machine"),
        (9, "exit status 9: cannot write ***"),
        (-9, "exit status -9"),
    ],
)
def test_exit_statuses_have_meanings_and_no_error_shows_a_password(status: int, words: str) -> None:
    with pytest.raises(ToolFailed) as caught:
        tool(status, errors=f"trying\ncannot write {WORD.reveal()}\n".encode()).set_password("syscfg", WORD, None)
    assert words in str(caught.value)
    assert not isinstance(caught.value, ToolLocked)
    assert WORD.reveal() not in "".join((str(caught.value), *caught.value.details()))


def test_a_locked_setup_is_an_error_of_its_own() -> None:
    with pytest.raises(ToolLocked):
        tool(4).apply("syscfg", "/run/settings", WORD)


def test_a_program_that_speaks_no_contract_is_named_with_what_it_printed() -> None:
    with pytest.raises(ToolFailed, match="not that of a configuration tool") as caught:
        tool(0, f"password is {WORD.reveal()}".encode()).set_password("syscfg", WORD, None)
    assert "password is ***" in "".join(caught.value.details())


def test_notes_of_a_tool_show_no_password() -> None:
    reply = {"changed": True, "restart": False, "notes": [f"set {WORD.reveal()}", "twice"]}
    done = tool(0, json.dumps(reply).encode()).set_password("syscfg", WORD, None)
    assert done.notes == ("set ***", "twice")


def test_a_tool_that_does_not_end() -> None:
    def hang(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Completed:
        raise DeadlineExceeded(argv[0], 900.0)

    with pytest.raises(ToolFailed, match="not done within 900 s"):
        ProgramConfigTools(FakeProcesses({"syscfg": hang}), {}).probe("syscfg")
