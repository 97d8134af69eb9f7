"""Requests to a management controller are, byte for byte, those of python-ipmi."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.ipmi.channels import get_channel_info
from gprov.domain.formats.ipmi.device import get_device_id
from gprov.domain.formats.ipmi.event_log import get_sel_entry, get_sel_info
from gprov.domain.formats.ipmi.inventory import get_fru_area_info, read_fru_data
from gprov.domain.formats.ipmi.lan import LanParameter, get_lan_parameter
from gprov.domain.formats.ipmi.users import (
    LONG_PASSWORD,
    SHORT_PASSWORD,
    Privilege,
    compare_password,
    enable_user,
    get_user_access,
    get_user_name,
    set_password,
    set_user_access,
    set_user_name,
)
from tests.unit.bmc import oracle

CHANNELS = st.integers(0, 15)
USERS = st.integers(1, 63)
WORDS = st.integers(0, 0xFFFF)
BYTES = st.integers(0, 255)
# Printable ASCII: what a name may consist of.
NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=16)
PASSWORDS = st.text(st.characters(min_codepoint=1, max_codepoint=0x7F), max_size=20).map(str.encode)


def test_requests_without_data() -> None:
    assert get_device_id() == oracle.request("GetDeviceId")
    assert get_sel_info() == oracle.request("GetSelInfo")


@given(CHANNELS, USERS)
def test_channels_and_users(channel: int, user: int) -> None:
    assert get_channel_info(channel) == oracle.request("GetChannelInfo", {"channel.number": channel})
    wanted = oracle.request("GetUserAccess", {"channel.channel_number": channel, "userid.userid": user})
    assert get_user_access(channel, user) == wanted
    assert get_user_name(user) == oracle.request("GetUserName", {"userid.userid": user})


@given(CHANNELS, st.sampled_from(LanParameter))
def test_lan_parameters(channel: int, parameter: LanParameter) -> None:
    fields = {"command.channel_number": channel, "parameter_selector": int(parameter)}
    assert get_lan_parameter(channel, parameter) == oracle.request("GetLanConfigurationParameters", fields)


@given(CHANNELS, USERS, st.sampled_from(Privilege), st.booleans())
def test_user_access(channel: int, user: int, privilege: Privilege, messaging: bool) -> None:
    bits = {"ipmi_msg": messaging, "link_auth": messaging, "callback": 0, "enable_change": 1, "channel_number": channel}
    fields = {f"channel_access.{name}": int(value) for name, value in bits.items()}
    fields |= {"userid.userid": user, "privilege.privilege_level": int(privilege)}
    assert set_user_access(channel, user, privilege, messaging=messaging) == oracle.request("SetUserAccess", fields)


@given(USERS, NAMES)
def test_names(user: int, name: str) -> None:
    fields = {"userid.userid": user, "user_name": name.ljust(16, "\0")}
    assert set_user_name(user, name) == oracle.request("SetUserName", fields)


@given(USERS, PASSWORDS, st.sampled_from([SHORT_PASSWORD, LONG_PASSWORD]))
def test_passwords(user: int, password: bytes, size: int) -> None:
    if len(password) > size:
        with pytest.raises(BadInput):
            set_password(user, password, size)
        return
    for operation, made in ((2, set_password(user, password, size)), (3, compare_password(user, password, size))):
        fields = {
            "userid.userid": user,
            "userid.password_size": int(size == LONG_PASSWORD),
            "operation.operation": operation,
            "password": password.ljust(size, b"\0"),
        }
        assert made == oracle.request("SetUserPassword", fields)


@given(USERS, st.booleans())
def test_accounts_are_enabled_and_disabled(user: int, enabled: bool) -> None:
    fields = {"userid.userid": user, "operation.operation": int(enabled)}
    assert enable_user(user, enabled=enabled) == oracle.request("SetUserPassword", fields)


@given(BYTES, WORDS)
def test_event_log_and_inventory(byte: int, word: int) -> None:
    fields = {"reservation_id": 0, "record_id": word, "offset": 0, "length": 0xFF}
    assert get_sel_entry(word) == oracle.request("GetSelEntry", fields)
    assert get_fru_area_info(byte) == oracle.request("GetFruInventoryAreaInfo", {"fru_id": byte})
    assert read_fru_data(byte, word, 16) == oracle.request("ReadFruData", {"fru_id": byte, "offset": word, "count": 16})


@pytest.mark.parametrize("channel", [-1, 16])
def test_a_channel_that_cannot_exist(channel: int) -> None:
    with pytest.raises(BadInput, match="not from 0 to 15"):
        get_channel_info(channel)


@pytest.mark.parametrize("user", [-1, 0, 64])
def test_a_user_that_cannot_exist(user: int) -> None:
    with pytest.raises(BadInput, match="not from 1 to 63"):
        get_user_name(user)


@pytest.mark.parametrize("name", ["", "a" * 17, "two words", "ü", "tab\t", "nul\0"])
def test_a_name_that_a_controller_does_not_take(name: str) -> None:
    with pytest.raises(BadInput, match="1 to 16 printable ASCII"):
        set_user_name(2, name)


def test_a_password_is_in_no_text() -> None:
    request = set_password(2, b"hunter2", SHORT_PASSWORD)
    assert "hunter2" not in f"{request} {request!r}"
    with pytest.raises(BadInput) as caught:
        set_password(2, b"hunter2" * 3, LONG_PASSWORD)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(BadInput):
        set_password(2, b"a\0b", SHORT_PASSWORD)
