"""Account files: reading ids, and replacing one field without touching another byte."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.accounts import (
    PasswordHash,
    check_login,
    gid_of,
    ids_by_name,
    ids_of,
    open_accounts,
    set_password_hash,
)
from gprov.domain.formats.owner import Owner

PASSWD = b"root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1001:Admin,,,:/home/admin:/bin/bash\n"
GROUP = b"root:x:0:\nsystemd-journal:x:101:admin\nshadow:x:42:\n"
SHADOW = b"root:*:19000:0:99999:7:::\nadmin:$y$old:19000:0:99999:7:::\nzed:!:19000::::::"
HASH = PasswordHash("$y$j9T$abc./DEF$0123456789")


def test_ids() -> None:
    assert ids_of(PASSWD, "admin") == Owner(1000, 1001)
    assert gid_of(GROUP, "systemd-journal") == 101
    assert gid_of(GROUP, "nosuch") is None


def test_an_absent_user_is_an_error_that_names_it() -> None:
    with pytest.raises(BadInput, match="no user 'operator'"):
        ids_of(PASSWD, "operator")
    with pytest.raises(BadInput, match="no user 'operator'"):
        set_password_hash(SHADOW, "operator", HASH)


def test_names_are_compared_whole() -> None:
    with pytest.raises(BadInput):
        ids_of(b"administrator:x:1:1:::\n", "admin")


def test_only_the_password_field_changes() -> None:
    changed = set_password_hash(SHADOW, "admin", HASH)
    assert changed == SHADOW.replace(b"$y$old", HASH.encode())


def test_the_last_line_needs_no_line_end() -> None:
    assert set_password_hash(SHADOW, "zed", PasswordHash("*")).endswith(b"\nzed:*:19000::::::")


def test_malformed_lines_are_all_reported_and_their_content_is_not() -> None:
    shadow = SHADOW + b"\nbroken:$y$topsecret\n\n# comment\n+@netgroup\n:x:1:2:3:4:5:6:7\n"
    with pytest.raises(BadInput) as caught:
        set_password_hash(shadow, "admin", HASH)
    assert [problem.place for problem in caught.value.problems] == ["line 4", "line 8"]
    assert "topsecret" not in "".join(map(str, caught.value.problems))


@pytest.mark.parametrize("number", [b"", b"-1", b"x", b"4294967295", b"99999999999", "٣".encode()])
def test_ids_that_are_no_numbers(number: bytes) -> None:
    with pytest.raises(BadInput, match="line 1: field 3"):
        ids_of(b"admin:x:" + number + b":0:::\n", "admin")


def test_a_user_that_stands_twice_is_ambiguous() -> None:
    with pytest.raises(BadInput, match="line 1, line 3"):
        ids_of(b"admin:x:1:1:::\nroot:x:0:0:::\nadmin:x:2:2:::\n", "admin")


@pytest.mark.parametrize("hashed", ["", "a:b", "a\nb", "a b", "ä", "\x7f"])
def test_a_hash_that_would_break_the_file_is_refused(hashed: str) -> None:
    with pytest.raises(BadInput):
        set_password_hash(SHADOW, "admin", PasswordHash(hashed))


def test_the_hash_is_not_in_the_error() -> None:
    with pytest.raises(BadInput) as caught:
        set_password_hash(SHADOW, "admin", PasswordHash("$y$very:secret"))
    assert "secret" not in str(caught.value)


@given(st.binary(max_size=80), st.text(max_size=5))
def test_any_bytes_give_a_value_or_bad_input(content: bytes, user: str) -> None:
    for read in (ids_of, gid_of, lambda data, name: set_password_hash(data, name, HASH)):
        with suppress(BadInput):
            read(content, user)


names = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)


@given(st.lists(names, unique=True, min_size=1, max_size=5), st.data())
def test_every_other_user_keeps_every_byte(users: list[str], data: st.DataObject) -> None:
    lines = [f"{user}:{data.draw(st.sampled_from(['!', '*', '', '$6$x$y']))}:1:2:3:4:5:6:7" for user in users]
    chosen = data.draw(st.integers(0, len(users) - 1))
    shadow = "\n".join(lines).encode()
    after = set_password_hash(shadow, users[chosen], HASH).decode().split("\n")
    assert after[chosen] == f"{users[chosen]}:{HASH}:1:2:3:4:::7"
    assert after[:chosen] + after[chosen + 1 :] == lines[:chosen] + lines[chosen + 1 :]


@pytest.mark.parametrize(
    ("passwd", "shadow", "found"),
    [
        (b"x:1:1::/:/bin/sh", b"!", False),
        (b"x:1:1::/:/bin/sh", b"", True),
        (b"x:1:1::/:", b"", True),
        (b"x:1:1::/:/usr/sbin/nologin", b"", False),
        (b"x:1:1::/:/bin/false", b"", False),
        (b":1:1::/:/bin/sh", b"$y$hash", True),
        (b":1:1::/:/bin/sh", None, True),
        (b"x:1:1::/:/bin/sh", None, False),
        (b"*:1:1::/:/bin/sh", b"", False),
    ],
)
def test_accounts_without_a_password(passwd: bytes, shadow: bytes | None, found: bool) -> None:
    lines = SHADOW if shadow is None else SHADOW + b"\nguest:" + shadow + b":1::::::"
    assert open_accounts(PASSWD + b"guest:" + passwd + b"\n", lines, "admin") == (("guest",) if found else ())


# Made by libxcrypt (tests/integ/boot/test_passwords.py), of the empty password.
OF_NOTHING = (
    b"$1$$qRPK7m23GJusamGpoGLby/",
    b"$3$$31d6cfe0d16ae931b73c59d7e0c089c0",
    b"$5$$3c2QQ0KjIU1OLtB29cl8Fplc2WN7X89bnoEjaR7tWu.",
    b"$6$$/chiBau24cE26QQVW3IfIe68Xu5.JQ4E8Ie7lcRLwqxO5cxGuBhqF2HmTL.zWJ9zjChg3yJYFXeGBQ2y3Ba1d1",
    b"$y$j9T$$EBiO75E.nlsNSY6EaCJLzant.b1uUsOgoDdj78FKfO7",
    b"U6aMy0wojraho",
    b"..X8NBuQ4l6uQ",
)


@pytest.mark.parametrize("known", OF_NOTHING)
def test_a_known_hash_of_the_empty_password_is_no_password(known: bytes) -> None:
    passwd = PASSWD + b"guest:x:1:1::/:/bin/sh\n"
    assert open_accounts(passwd, SHADOW + b"\nguest:" + known + b":1::::::", "admin") == ("guest",)
    for other in (b"!" + known, known[:-1], known[:-1] + b"A", known + b"A"):
        assert open_accounts(passwd, SHADOW + b"\nguest:" + other + b":1::::::", "admin") == ()
    if known.startswith(b"$"):
        assert open_accounts(PASSWD + b"guest:" + known + b":1:1::/:/bin/sh\n", SHADOW, "admin") == ("guest",)


@pytest.mark.parametrize("aging", [b",", b",AB", b",ABCD"])
def test_password_aging_of_hp_ux_does_not_hide_the_empty_password(aging: bytes) -> None:
    shadow = SHADOW + b"\nguest:U6aMy0wojraho" + aging + b":1::::::"
    assert open_accounts(PASSWD + b"guest:x:1:1::/:/bin/sh\n", shadow, "admin") == ("guest",)


def test_the_password_that_is_replaced_may_be_empty() -> None:
    shadow = SHADOW.replace(b"$y$old", b"")
    assert open_accounts(PASSWD, shadow, "admin") == ()
    assert open_accounts(PASSWD, shadow, "other") == ("admin",)
    assert open_accounts(PASSWD.replace(b"admin:x", b"admin:"), shadow, "admin") == ("admin",)


def test_ids_by_name() -> None:
    assert ids_by_name(PASSWD + b"broken\nroot:x:5:5:::\n+nis::9:9:::\n") == {b"root": 0, b"admin": 1000}
    assert ids_by_name(GROUP) == {b"root": 0, b"systemd-journal": 101, b"shadow": 42}


@pytest.mark.parametrize(
    "name", [b" admin", b"\tadmin", b"\x0badmin", b"\radmin", b"ad min", b"admin\0", b"ad\x01", b"\xff"]
)
def test_a_line_in_which_glibc_finds_another_name_is_malformed(name: bytes) -> None:
    with pytest.raises(BadInput, match="line 1: the name"):
        set_password_hash(name + b"::1::::::\n" + SHADOW, "admin", HASH)
    with pytest.raises(BadInput, match="line 1: the name"):
        open_accounts(name + b":x:0:0::/:/bin/sh\n" + PASSWD, SHADOW, "admin")


def test_blanks_before_comments_and_nis_lines() -> None:
    assert open_accounts(b" # x\n\t+::0:0:::\n -y\n \n" + PASSWD, b" # x\n\t+y\n" + SHADOW, "admin") == ()


@pytest.mark.parametrize("field", [b"##guest", b"*NP*", b"X", b"U6aMy0wojraho"])
def test_a_password_field_that_could_mean_shadow_is_refused(field: bytes) -> None:
    with pytest.raises(BadInput, match="line 3: the password field"):
        open_accounts(PASSWD + b"guest:" + field + b":1:1::/:/bin/sh\n", SHADOW + b"\nguest::1::::::", "admin")
    assert open_accounts(PASSWD + b"guest:!x:1:1::/:/bin/sh\nb:$6$x:1:1:::\n", SHADOW, "admin") == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"admin:*:1:1::/:/bin/sh", "must be x"),
        (b"admin:$6$x:1:1::/:/bin/sh", "must be x"),
        (b"admin::1:1::/:/bin/sh", "must be x"),
        (b"admin:x:1:1::/:/bin/\0sh", "NUL"),
        (b"boss:x:1:1::/:/bin/sh", "no user"),
    ],
)
def test_an_account_that_its_password_in_shadow_does_not_open(line: bytes, message: str) -> None:
    check_login(PASSWD, "admin")
    with pytest.raises(BadInput, match=message):
        check_login(line, "admin")


def test_with_a_new_password_the_account_does_not_expire() -> None:
    shadow = b"admin:!:19000:0:90:7:5:19100:\n"
    assert set_password_hash(shadow, "admin", HASH) == f"admin:{HASH}:19000:0:90:7:::\n".encode()
    with pytest.raises(BadInput, match="line 1: has a field that is no number"):
        set_password_hash(shadow.replace(b"90", b"9x", 1), "admin", HASH)
