"""Saved network configuration; archives are made by the standard library's tarfile."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, GprovError
from gprov.domain.unit.netsaved import parse_saved

Entry = tuple[str, bytes | None, bytes]  # name, content, type
NETWORK = b"[Match]\nMACAddress=00:11:22:33:44:55\n\n[Network]\nDHCP=yes\n"


def archive(*entries: Entry, kind: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
        for name, content, member_type in entries:
            info = tarfile.TarInfo(name)
            info.type = member_type
            info.size = len(content or b"")
            info.mtime = 1.5 if kind == tarfile.PAX_FORMAT else 1  # a fraction needs an extended header
            info.linkname = "elsewhere" if member_type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def file(name: str, content: bytes = NETWORK) -> Entry:
    return name, content, tarfile.REGTYPE


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_plain_files_in_every_format(kind: int) -> None:
    data = archive(
        file("001122334455.network"), file("001122334455-5.netdev", b"x" * 513), file("a.link", b""), kind=kind
    )
    assert parse_saved("netd.tar", data) == {
        "001122334455.network": NETWORK,
        "001122334455-5.netdev": b"x" * 513,
        "a.link": b"",
    }


def test_an_archive_of_the_folder_itself() -> None:
    data = archive(("./", None, tarfile.DIRTYPE), file("./eth0.network"), file("./.config-preserved", b""))
    assert parse_saved("netd.tar", data) == {"eth0.network": NETWORK}


def test_the_last_of_a_name_wins() -> None:
    assert parse_saved("x", archive(file("a.link", b"1"), file("a.link", b"2"))) == {"a.link": b"2"}


@pytest.mark.parametrize(
    "entry",
    [
        file("../a.network"), file("/a.network"), file("sub/a.network"), file("a.network.d/x.conf"), file("a.conf"),
        file(".a.network"), file("..network"), file("a b.network"), file(".network"), file("a.network", b"a\0b"),
        file("a.network", b"x" * 65537), ("a.network", None, tarfile.SYMTYPE), ("a.network", None, tarfile.LNKTYPE),
        ("a.network", None, tarfile.DIRTYPE), ("a.network", None, tarfile.CHRTYPE),
        ("a.network", None, tarfile.FIFOTYPE), file("ä.network"), file("a.network\n"), file("n" * 250 + ".network"),
    ],
    ids=lambda entry: f"{entry[0][:20]!r}-{entry[2].decode()}",
)  # fmt: skip
def test_anything_else_is_refused(entry: Entry) -> None:
    with pytest.raises(BadInput):
        parse_saved("x", archive(file("good.network"), entry, kind=tarfile.GNU_FORMAT))


def test_an_extended_header_cannot_rename_a_file() -> None:
    with pytest.raises(BadInput, match="extended header"):
        parse_saved("x", archive(file("long-" + "n" * 120 + ".network"), kind=tarfile.PAX_FORMAT))


def test_every_problem_is_told() -> None:
    with pytest.raises(BadInput) as caught:
        parse_saved("netd.tar", archive(file("a"), file("b.network"), file("../c.link")))
    assert [problem.place for problem in caught.value.problems] == ["a", "../c.link"]


def test_an_archive_without_configuration_is_none() -> None:
    with pytest.raises(BadInput, match="holds no network configuration"):
        parse_saved("x", archive(("./", None, tarfile.DIRTYPE)))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 1023, 1024, 1025, 1536, 2047, 2048, 2148])
def test_a_cut_archive_is_refused_wherever_it_was_cut(length: int) -> None:
    whole = archive(file("a.network"), file("b.network"))
    with pytest.raises(BadInput):
        parse_saved("x", whole[:length])


@settings(max_examples=200)
@given(st.data())
def test_damaged_archives_give_whole_files_or_an_error(data: st.DataObject) -> None:
    whole = bytearray(archive(file("a.network"), file("b.link", b"[Match]\n"))[:2560])
    for position, value in data.draw(st.lists(st.tuples(st.integers(0, 2559), st.integers(0, 255)), max_size=4)):
        whole[position] = value
    try:
        files = parse_saved("x", bytes(whole))
    except GprovError:
        return
    assert all(name.endswith((".network", ".netdev", ".link")) for name in files)


@settings(max_examples=100)
@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(GprovError):
        parse_saved("x", data)
