"""Saved network configuration; archives are made by the standard library's tarfile."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, GprovError
from gprov.domain.unit.netsaved import SavedFile, parse_saved

Entry = tuple[str, bytes | None, bytes]  # name, content, type
NETWORK = b"[Match]\nMACAddress=00:11:22:33:44:55\n\n[Network]\nDHCP=yes\n"


def archive(
    *entries: Entry, kind: int = tarfile.USTAR_FORMAT, mode: int = 0o644, group: str = "root", link: str = "elsewhere"
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
        for name, content, member_type in entries:
            info = tarfile.TarInfo(name)
            info.type = member_type
            info.size = len(content or b"")
            info.mtime = 1.5 if kind == tarfile.PAX_FORMAT else 1  # a fraction needs an extended header
            info.mode, info.gname = mode, group
            info.linkname = link if member_type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    return {name: saved.content for name, saved in parse_saved("netd.tar", data).items()}


def file(name: str, content: bytes = NETWORK) -> Entry:
    return name, content, tarfile.REGTYPE


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_plain_files_in_every_format(kind: int) -> None:
    data = archive(
        file("001122334455.network"), file("001122334455-5.netdev", b"x" * 513), file("a.link", b""), kind=kind
    )
    assert contents(data) == {
        "001122334455.network": NETWORK,
        "001122334455-5.netdev": b"x" * 513,
        "a.link": b"",
    }


def test_an_archive_of_the_folder_itself() -> None:
    data = archive(("./", None, tarfile.DIRTYPE), file("./eth0.network"), file("./.config-preserved", b""))
    assert contents(data) == {"eth0.network": NETWORK}


def test_the_last_of_a_name_wins() -> None:
    assert contents(archive(file("a.link", b"1"), file("a.link", b"2"))) == {"a.link": b"2"}


def test_drop_ins_come_back_into_their_folder() -> None:
    data = archive(("a.network.d", None, tarfile.DIRTYPE), file("a.network.d/10-x.conf"), file("a.network"))
    assert contents(data) == {"a.network.d/10-x.conf": NETWORK, "a.network": NETWORK}


def test_a_link_to_null_switches_a_file_of_the_image_off() -> None:
    saved = parse_saved("x", archive(("99-default.link", None, tarfile.SYMTYPE), link="/dev/null"))
    assert saved == {"99-default.link": SavedFile(b"", mask=True)}


@pytest.mark.parametrize(
    ("mode", "restored"),
    [(0o640, 0o640), (0o600, 0o600), (0o644, 0o644), (0o777, 0o644), (0o4666, 0o644), (0, 0o644), (0o040, 0o640)],
)
def test_permissions_come_back_but_never_wider_than_usual(mode: int, restored: int) -> None:
    saved = parse_saved("x", archive(file("wg0.netdev"), mode=mode, group="systemd-network"))
    assert saved == {"wg0.netdev": SavedFile(NETWORK, restored, "systemd-network")}


def test_an_archive_of_very_many_files_is_refused() -> None:
    with pytest.raises(BadInput, match="more than 1000 files"):
        parse_saved("x", archive(*(file(f"{number}.link", b"") for number in range(1001))))


@pytest.mark.parametrize(
    "entry",
    [
        file("../a.network"), file("/a.network"), file("sub/a.network"), file("a.network.d/x.network"), file("a.conf"),
        file("a.network.d/sub/x.conf"), file("a.network.d/../x.conf"), file("a.network.d/.x.conf"), file("b.d/x.conf"),
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
    assert all(name.endswith((".network", ".netdev", ".link", ".conf")) for name in files)
    assert all(".." not in name.split("/") and not name.startswith("/") for name in files)


@settings(max_examples=100)
@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(GprovError):
        parse_saved("x", data)
