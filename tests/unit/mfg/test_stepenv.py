"""What programs of a factory get from the kernel's command line, and how scripts are run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.mfg.stepenv import SHEBANG_BYTES, interpreter, kernel_variables, script_argv, why_not_started

NAMES = st.sampled_from(["PATH", "LC_ALL", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "IFS", "ENV"]) | st.text(max_size=8)


def test_kernel_arguments_are_passed_on() -> None:
    given = {"STATION": "bench 7", "mfgurl": "http://10.0.2.2/manufData.json", "_x1": ""}
    assert kernel_variables(given) == given


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://user:secret@factory/x", "http://factory/x"),
        ("https://user@factory", "https://factory"),
        ('a=http://u:secret@one/ "b=ftp://u:p@secret@two"', 'a=http://one/ "b=ftp://two"'),
        ("http://factory/?mail=a@b", "http://factory/"),
        ("http://u:p@h/x?token=SECRET", "http://h/x"),
        ('"http://h/x?token=SECRET" more?', '"http://h/x" more?'),
        ("http://u:p'w@h/", "http://h/"),
        ('//u:p"w@h', "//h"),
        ("http://u:a/b@h/x", "http://h/x"),
        ("http://h:80/a@b http://[::1]:80/a@b", "http://h:80/a@b http://[::1]:80/a@b"),
        ("a@b", "a@b"),
    ],
)
def test_urls_lose_their_passwords(value: str, expected: str) -> None:
    assert kernel_variables({"mfgurl": value}) == {"mfgurl": expected}


@pytest.mark.parametrize(
    "name",
    [
        "BASH_ENV",
        "BASHOPTS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PERL5OPT",
        "PERL5LIB",
        "SHELLOPTS",
        "PS4",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "MALLOC_CHECK_",
        "TAR_OPTIONS",
        "OPENSSL_CONF",
        "http_proxy",
        "HTTPS_PROXY",
        "LOCPATH",
        "TMPDIR",
    ],
)
def test_options_of_programs_are_not_passed_on(name: str) -> None:
    assert kernel_variables({name: "x", f"X{name}X": "y"}) == {f"X{name}X": "y"}


@settings(max_examples=200)
@given(st.dictionaries(NAMES, st.text(max_size=8)))
def test_nothing_that_chooses_programs_or_libraries_is_passed_on(environment: dict[str, str]) -> None:
    found = kernel_variables(environment)
    assert not {"PATH", "LC_ALL", "HOME", "IFS", "ENV"} & set(found)
    assert not [name for name in found if name.startswith("LD_")]
    assert set(found) <= set(environment)
    assert all(name.isidentifier() and name.isascii() for name in found)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"#!/bin/sh\necho", ("/bin/sh", "s")),
        (b"#! /bin/sh -e -u \r\n", ("/bin/sh", "-e -u", "s")),
        (b"#!/usr/bin/env python3\n", ("/usr/bin/env", "python3", "s")),
        (b"#!/bin/sh", ("/bin/sh", "s")),
        (b"echo hello\n", ("sh", "s")),
        (b"#!\n", ("sh", "s")),
        (b"#!   \n", ("sh", "s")),
        (b"", ("sh", "s")),
        (b"#!/bin/sh\0 -e\n", ("sh", "s")),
        (b"#!/" + b"a" * SHEBANG_BYTES, ("sh", "s")),
    ],
)
def test_a_script_is_run_by_its_interpreter(start: bytes, expected: tuple[str, ...]) -> None:
    assert script_argv("s", start) == expected


@settings(max_examples=200)
@given(st.binary(max_size=SHEBANG_BYTES + 8) | st.binary(max_size=SHEBANG_BYTES).map(lambda rest: b"#!" + rest))
def test_any_script_gives_a_command_that_ends_with_it(start: bytes) -> None:
    argv = script_argv("/run/x.sh", start)
    assert 2 <= len(argv) <= 3
    assert argv[-1] == "/run/x.sh"
    assert all(word and not set("\n\0") & set(word) for word in argv)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"#!/bin/bash -e\n", "/bin/bash"),
        (b"#!/usr/bin/env bash\n", "bash"),
        (b"#!/usr/bin/env -S LANG=C python3 -u\n", "python3"),
        (b"#!/usr/bin/env\n", "/usr/bin/env"),
        (b"echo\n", None),
        (b"\x7fELF", None),
    ],
)
def test_the_program_that_a_first_line_asks_for(start: bytes, expected: str | None) -> None:
    assert interpreter(start) == expected


def test_why_a_file_is_not_started() -> None:
    assert why_not_started(b"#!/bin/sh\n", lambda name: name == "/bin/sh") == ""
    assert "names /bin/bash, which the provisioning system does not have" in why_not_started(
        b"#!/bin/bash\n", lambda name: False
    )
    assert "libraries_32" in why_not_started(b"\x7fELF\x01", lambda name: True)
    assert why_not_started(b"anything", lambda name: False) == ""
