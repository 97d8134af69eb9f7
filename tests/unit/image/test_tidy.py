"""What image making changes in an archive before it is compressed."""

from __future__ import annotations

import io
import tarfile

import pytest

from gprov.domain.branding import Branding
from gprov.domain.formats.accounts import ids_by_name
from gprov.domain.formats.image.tar_tidy import Tidier
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names


def archive(**headers: str) -> bytes:
    """One file with these records in its extended header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("etc/motd")
        info.size = 5
        info.pax_headers = headers
        tar.addfile(info, io.BytesIO(b"hello"))
    return stream.getvalue()


def tidied(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    tidier = Tidier()
    result = b"".join(tidier.run(io.BytesIO(data).read))
    return result, tidier.left_out


def only_member(data: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        [member] = tar
        return member


def test_times_are_whole_seconds_in_the_header() -> None:
    result, left_out = tidied(archive(mtime="1700000000.75", atime="1.5", ctime="2.5"))
    member = only_member(result)
    assert member.pax_headers == {}
    assert member.mtime == 1700000000
    assert left_out == ()


def test_a_time_before_1970_stays_in_an_extended_header() -> None:
    result, _ = tidied(archive(mtime="-5"))
    assert only_member(result).mtime == -5
    assert tidied(result) == (result, ())


def test_keywords_without_a_use_are_left_out_and_reported() -> None:
    result, left_out = tidied(archive(**{"VENDOR.colour": "red"}))
    assert only_member(result).pax_headers == {}
    assert left_out == ("left out: keyword 'VENDOR.colour', which tar passes over (1 times; first of 'etc/motd')",)


def test_an_extended_header_at_the_end_of_a_cut_archive_stays_where_it_is() -> None:
    """Verification refuses it there; elsewhere it would belong to another member."""
    cut = archive(mtime="-5")[:1024] + bytes(10240)
    assert tidied(cut)[0] == cut


PASSWD, OTHER = b"admin:x:1000:1000::/:/bin/sh\n", b"admin:x:7:7::/:/bin/sh\n"
FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
Member = tuple[str, bytes, str | bytes]
# Members of an archive: name, type, content or target; and the number of admin, None if no user admin is known.
ACCOUNTS: dict[str, tuple[list[Member], int | None]] = {
    "by its name": ([("etc/passwd", FILE, PASSWD)], 1000),
    "by another spelling": ([("/.//etc/./passwd", FILE, PASSWD)], 1000),
    "through a link to its folder": ([("etc/x", FILE, b""), ("s", LINK, "etc"), ("s/passwd", FILE, PASSWD)], 1000),
    "the last one counts": (
        [("etc/passwd", FILE, PASSWD), ("s", LINK, "etc"), ("s/passwd", FILE, OTHER)],
        7,
    ),
    "replaced by a link to a file that is not read": ([("etc/passwd", FILE, PASSWD), ("etc/passwd", LINK, "x")], None),
    "a link to the other file": ([("etc/group", FILE, PASSWD), ("etc/passwd", LINK, "group")], 1000),
    "another name of the other file": ([("etc/group", FILE, PASSWD), ("etc/passwd", HARD, "etc/group")], 1000),
    "below something else": ([("srv/etc/passwd", FILE, PASSWD)], None),
    "at the other end of a folder that is a link": (
        [("srv/passwd", FILE, PASSWD), ("s", LINK, "srv"), ("s/passwd", FILE, OTHER)],
        None,
    ),
}


@pytest.mark.parametrize("fmt", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("case", ACCOUNTS)
def test_users_of_access_control_lists_are_those_of_the_passwd_that_verification_finds(case: str, fmt: int) -> None:
    members, number = ACCOUNTS[case]
    data = members_archive([("long/" * 30 + "file", FILE, b""), *members], fmt) + archive(
        **{"SCHILY.acl.access": "user::rw-,user:admin:r--,group::r--,mask::r--,other::---"}
    )
    tidier = Tidier()
    for _ in tidier.run(io.BytesIO(data).read):
        pass
    result = b"".join(tidier.run(io.BytesIO(data).read))
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(result)
    found = walker.finish().files.passwd
    assert ids_by_name(found or b"").get(b"admin") == number
    with tarfile.open(fileobj=io.BytesIO(result), ignore_zeros=True) as tar:
        acl = tar.getmember("etc/motd").pax_headers.get("SCHILY.acl.access", "")
    assert (f"user:{number}:r--" in acl) == (number is not None)
    assert bool(tidier.left_out) == (number is None)


def members_archive(members: list[Member], fmt: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=fmt) as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(content, str):
                info.linkname = content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()
