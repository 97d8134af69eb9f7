"""update.toml."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.update.config import (
    Confirmation,
    ForcedUpdates,
    TokenFile,
    TokenKind,
    UpdateConfig,
    parse_config,
)
from gprov.domain.update.window import parse_window

SERVER = 'server = "https://updates.example/"\n'
WHOLE = """
server = "https://updates.example:8443/ddi/"
tenant = "ACME"
controller_id = "unit-7"
target_token_file = "/mnt/RECOVERY/update/token"
ca_file = "/etc/provisioning/update-ca.pem"
window = ["Sat,Sun 02:00-04:00", "12:00-12:30"]
confirm = "owner"
forced = "at-once"
reboot = "no"

[attributes]
site = "Ulm"
"""


def test_a_whole_file() -> None:
    assert parse_config("x", WHOLE.encode()) == UpdateConfig(
        server="https://updates.example:8443/ddi",
        tenant="ACME",
        controller_id="unit-7",
        token=TokenFile(TokenKind.TARGET, "/mnt/RECOVERY/update/token"),
        ca_file="/etc/provisioning/update-ca.pem",
        windows=(parse_window("Sat,Sun 02:00-04:00"), parse_window("12:00-12:30")),
        confirm=Confirmation.OWNER,
        forced=ForcedUpdates.AT_ONCE,
        reboot=False,
        attributes={"site": "Ulm"},
    )


def test_the_least() -> None:
    assert parse_config("x", SERVER.encode()) == UpdateConfig(server="https://updates.example")


def test_the_serial_number_is_the_default_and_can_be_said() -> None:
    assert parse_config("x", f'{SERVER}controller_id = "serial"'.encode()).controller_id == ""


def test_a_pinned_certificate_as_openssl_prints_it() -> None:
    digits = "AB:" * 31 + "CD"
    assert parse_config("x", f'{SERVER}server_sha256 = "{digits}"'.encode()).server_sha256 == "ab" * 31 + "cd"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "$.server", "is missing"),
        (f"{SERVER}windows = []", "$.windows", "is not a key of this file"),
        ('server = "http://updates.example"', "$.server", "is not encrypted"),
        ('server = "updates.example"', "$.server", "must begin with http"),
        ('server = "https://me:secret@updates.example"', "$.server", "must have no name, password"),
        (f'{SERVER}tenant = "a/b"', "$.tenant", "must be 1 to 256"),
        (f'{SERVER}controller_id = ""', "$.controller_id", "must be 1 to 256"),
        (f'{SERVER}target_token_file = "token"', "$.target_token_file", "must be an absolute path"),
        (f'{SERVER}target_token_file = "/a"\ngateway_token_file = "/b"', "$.gateway_token_file", "stands beside"),
        (f'{SERVER}ca_file = "/a"\nserver_sha256 = "{"a" * 64}"', "$.server_sha256", "stands beside ca_file"),
        (f'{SERVER}server_sha256 = "abc"', "$.server_sha256", "must be 64 hexadecimal digits"),
        (f'{SERVER}window = ["Sat 02:00-04:00", "never"]', "$.window[1]", "must be days and times"),
        (f'{SERVER}window = "Sat 02:00-04:00"', "$.window", "must be a list"),
        (f'{SERVER}confirm = "maybe"', "$.confirm", "unknown value"),
        (f'{SERVER}forced = "never"', "$.forced", "unknown value"),
        (f"{SERVER}reboot = true", "$.reboot", "must be text"),
        (f"{SERVER}[attributes]\nsite = 7", "$.attributes.site", "must be text"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, place: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_config("x", text.encode())
    [found] = [one for one in caught.value.problems if one.place == place]
    assert found.message.startswith(problem)
    assert "secret" not in str(caught.value.details())


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse_config("x", b'server = "ftp://x"\nconfirm = "x"\nwindow = ["x", "y"]\ncolour = 1\n')
    places = {problem.place for problem in caught.value.problems}
    assert places == {"$.server", "$.confirm", "$.window[0]", "$.window[1]", "$.colour"}


def test_http_for_a_network_that_is_trusted() -> None:
    text = b'server = "http://10.0.0.1:8080"\nallow_http = true\n'
    assert parse_config("x", text).server == "http://10.0.0.1:8080"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_bad_input(data: bytes) -> None:
    with suppress(BadInput):
        assert parse_config("x", data).server
