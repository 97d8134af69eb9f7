from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, GprovError
from gprov.domain.unit.restore_options import RestoreOptions, parse_options, serialise_options

OPTIONS = st.builds(
    RestoreOptions,
    preserve=st.booleans(),
    ignore_net_cfg=st.booleans(),
    clear_history=st.booleans(),
    xlog=st.sampled_from(["", "http://10.0.2.2:65432/"]),
    boot_args=st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
)


def test_as_written_in_the_field() -> None:
    data = b'{"Preserve":true,"IgnoreNetCfg":false,"ClearHistory":true,"XLog":"http://h:1/","BootArgs":"a=b c"}'
    assert parse_options("fr.data", data) == RestoreOptions(
        preserve=True, ignore_net_cfg=False, clear_history=True, xlog="http://h:1/", boot_args="a=b c"
    )
    assert parse_options("fr.data", b'{"_":1,"x":2}') == RestoreOptions()


def test_keys_on_disk() -> None:
    assert json.loads(serialise_options(RestoreOptions(xlog="http://h/"))) == {
        "Preserve": False,
        "IgnoreNetCfg": False,
        "ClearHistory": False,
        "XLog": "http://h/",
        "BootArgs": "",
    }


@settings(max_examples=100)
@given(OPTIONS)
def test_round_trip(options: RestoreOptions) -> None:
    assert parse_options("x", serialise_options(options)) == options


def test_every_problem() -> None:
    with pytest.raises(BadInput) as caught:
        parse_options("fr.data", b'{"Preserve":"yes","ClearHistory":1,"XLog":"ftp://h/","BootArgs":"a\\nb"}')
    assert [problem.place for problem in caught.value.problems] == [
        "$.Preserve",
        "$.ClearHistory",
        "$.XLog",
        "$.BootArgs",
    ]


@settings(max_examples=150)
@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    with suppress(GprovError):
        parse_options("x", data)
