"""What image making changes in an archive before it is compressed."""

from __future__ import annotations

import io
import tarfile

from gprov.domain.formats.image.tar_tidy import Tidier


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
