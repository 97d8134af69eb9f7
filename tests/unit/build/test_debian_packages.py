"""Packages of a Debian host, as dpkg-query, apt-cache and release files state them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.debian_packages import (
    Archive,
    Installed,
    archive_with,
    parse_installed,
    parse_madison,
    parse_owners,
    with_dependencies,
)
from tests.unit.build.hosts import Debian

LISTED = """\
installed\tgcc\tamd64\t4:12.2.0-3\t\tcpp (= 4:12.2.0-3), gcc-12 (>= 12)\tc-compiler, gcc-x86-64-linux-gnu (= 4:12)
installed\tperl\tamd64\t5.36.0-7\tdpkg (>= 1.17.17)\tperl-base (= 5.36.0-7), libfoo | libc6:any (>= 2.35) [amd64]\t
config-files\told\tamd64\t1\t\t\t
installed\tlibc6\tamd64\t2.36-9\t\t\t
installed\tlibc6\ti386\t2.36-9\t\t\t
installed\tdata\tall\t1.0\t\t\t
not a line
"""


def test_what_dpkg_lists() -> None:
    assert parse_installed(LISTED, "amd64") == {
        "gcc": Installed("4:12.2.0-3", (("cpp",), ("gcc-12",)), ("c-compiler", "gcc-x86-64-linux-gnu")),
        "perl": Installed("5.36.0-7", (("dpkg",), ("perl-base",), ("libfoo", "libc6"))),
        "libc6": Installed("2.36-9"),
        "libc6:i386": Installed("2.36-9"),
        "data": Installed("1.0"),
    }


def test_dependencies_are_those_that_are_installed() -> None:
    """The first alternative that is there; of a virtual package all that provide it; circles end."""
    packages = {
        "make": Installed("1", (("libc6",), ("absent", "guile"), ("awk",))),
        "libc6": Installed("2", (("make",),)),
        "guile": Installed("3"),
        "mawk": Installed("4", (), ("awk",)),
        "gawk": Installed("5", (), ("awk",)),
        "other": Installed("6", (("libc6",),)),
    }
    found = with_dependencies(["make", "not-installed"], packages)
    assert found == {"make": "1", "libc6": "2", "guile": "3", "mawk": "4", "gawk": "5"}
    assert list(found) == sorted(found)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefgh"), max_size=3)), st.data())
def test_the_dependencies_of_what_was_found_are_found_too(graph: dict[str, list[str]], data: st.DataObject) -> None:
    packages = {name: Installed("1", tuple((other,) for other in others)) for name, others in graph.items()}
    first = data.draw(st.sampled_from("abcdef"))
    found = with_dependencies([first], packages)
    assert (first in found) == (first in packages)
    assert all(other in found or other not in packages for name in found for other in graph[name])


def test_owners_of_files() -> None:
    listed = """\
libc6:amd64, libc6:i386: /usr/share/doc/libc6
diversion by dash from: /bin/sh
diversion by dash to: /bin/sh.distrib
dash: /bin/sh
python3.11: /usr/lib/a: b
"""
    assert parse_owners(listed, "amd64") == {"libc6", "libc6:i386", "dash", "python3.11"}


def test_what_an_archive_offers() -> None:
    listed = """\
  binutils |   2.40-2 | http://deb.debian.invalid/debian bookworm/main amd64 Packages
     glibc |   2.36-9 | http://deb.debian.invalid/debian bookworm/main Sources
  strange
"""
    assert parse_madison(listed) == {("binutils", "2.40-2")}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "deb_bookworm_InRelease").write_text(
        "Hash\n\nOrigin: Debian\nDate: Sat, 11 Jul 2026 10:15:00 UTC\nX: y\n"
    )
    (tmp_path / "deb_security_Release").write_text("Date: Sun, 29 Nov 2026 20:50:01 +0100\n")
    (tmp_path / "deb_odd_InRelease").write_text("Date: yesterday\n")
    (tmp_path / "deb_main_Packages").write_text("Date: Mon, 30 Nov 2026 20:50:01 UTC\n")
    return tmp_path


def test_the_date_of_the_archives_is_that_of_the_newest_one(lists: Path) -> None:
    offered = "  binutils | 2.40-2 | http://deb.debian.invalid/debian bookworm/main amd64 Packages\n"
    found = archive_with(Debian(madison=offered), {"binutils": "2.40-2", "own": "1"}, str(lists))
    assert found == Archive("20261129T195001Z", ("own",))


def test_no_date_without_lists_or_without_apt(lists: Path, tmp_path: Path) -> None:
    assert archive_with(Debian(), {"binutils": "1"}, str(tmp_path / "none")) == Archive()
    assert archive_with(Debian(missing=("apt-cache",)), {"binutils": "1"}, str(lists)) == Archive()
