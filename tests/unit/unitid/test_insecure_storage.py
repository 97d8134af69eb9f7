"""``insecure.storage``, in which gprovision kept the passwords of a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.domain.unit.insecure_storage import parse_insecure_storage

passwords = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(passwords, passwords, passwords.filter(bool))
def test_three_passwords_separated_by_nul(bios: str, ipmi: str, system: str) -> None:
    data = f"{bios}\0{ipmi}\0{system}".encode()
    if len(data) >= 10:
        wanted = Credentials(os=Secret(system), bios=Secret(bios), ipmi=Secret(ipmi))
        assert parse_insecure_storage("x", data) == wanted
    else:
        with pytest.raises(BadInput):
            parse_insecure_storage("x", data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "holds 0 bytes, at least 10 are expected"),
        (b"aa\0bb\0ccc", "holds 9 bytes"),
        (b"hunter22\0hunter22\0", "holds no password of the operating system"),
        (b"hunter22\0hunter22", "holds 2 passwords instead of 3"),
        (b"hunter22\0hunter22\0hunter22\0", "holds 4 passwords instead of 3"),
        (b"hunter22\0hunter22\0\xff", "is not UTF-8"),
    ],
)
def test_what_holds_no_passwords_is_refused_and_not_told(data: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as caught:
        parse_insecure_storage("/mnt/RECOVERY/insecure.storage", data)
    assert "hunter22" not in str(caught.value) + repr(caught.value.details())
    assert caught.value.__cause__ is None
