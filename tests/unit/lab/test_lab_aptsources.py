"""Package sources of the machine, reduced to one suite."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.apps.host.lab.aptsources import sources_of

DEB822 = """\
Types: deb
# a comment
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb deb-src
URIs: http://two.example/security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://source.example/
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://off.example/
Suites: bookworm
Components: main

Types: deb
URIs: https://third.example/node
Suites: nodistro
Components: main
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://three.example/debian  bookworm  main  # ours
deb-src http://source.example/debian bookworm main
deb http://other.example sdk-bookworm main
deb http://old.example/debian bullseye main
"""


def test_both_formats_one_suite() -> None:
    assert sources_of({"/etc/apt/a.sources": DEB822, "/etc/apt/b.list": ONE_LINE}, "bookworm") == (
        "deb [signed-by=/usr/share/keyrings/archive.gpg] http://one.example/debian bookworm main contrib",
        "deb [signed-by=/usr/share/keyrings/archive.gpg] http://one.example/debian bookworm-updates main contrib",
        "deb http://two.example/security bookworm-security main",
        "deb [arch=amd64 signed-by=/k.gpg] http://three.example/debian bookworm main",
    )


def test_the_old_name_of_security() -> None:
    assert sources_of({"x.list": "deb http://a/ buster/updates main"}, "buster") == (
        "deb http://a/ buster/updates main",
    )


def test_a_key_inside_a_stanza_is_left_out() -> None:
    stanza = "Types: deb\nURIs: http://a/\nSuites: x\nComponents: main\nSigned-By:\n -----BEGIN PGP\n .\n abc\n"
    assert sources_of({"x.sources": stanza}, "x") == ("deb http://a/ x main",)


def test_an_entry_that_stands_in_two_files_is_taken_once() -> None:
    files = {"a.list": "deb http://a/ x main", "b.list": "deb  http://a/  x  main"}
    assert sources_of(files, "x") == ("deb http://a/ x main",)


def test_a_suite_without_entries_is_on_the_mirror_of_the_hosts_own() -> None:
    files = {"/etc/apt/a.sources": DEB822, "/etc/apt/b.list": ONE_LINE}
    assert sources_of(files, "trixie", "bookworm") == (
        "deb [signed-by=/usr/share/keyrings/archive.gpg] http://one.example/debian trixie main contrib",
        "deb [signed-by=/usr/share/keyrings/archive.gpg] http://one.example/debian trixie-updates main contrib",
        "deb http://two.example/security trixie-security main",
        "deb [arch=amd64 signed-by=/k.gpg] http://three.example/debian trixie main",
    )
    assert sources_of(files, "bullseye", "bookworm") == ("deb http://old.example/debian bullseye main",)
    assert sources_of(files, "trixie", "") == ()
    assert sources_of(files, "trixie", "forky") == ()


@settings(max_examples=150)
@given(st.text(), st.sampled_from([".list", ".sources"]))
def test_any_text_gives_entries_of_the_suite_or_none(text: str, ending: str) -> None:
    for source in (text, DEB822[: len(text)] + text + DEB822[len(text) :]):
        for entry in sources_of({f"x{ending}": source}, "bookworm"):
            assert entry.startswith("deb ")
            assert "bookworm" in entry
