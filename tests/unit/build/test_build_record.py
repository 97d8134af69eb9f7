"""Build records: read and written, and compared with a machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.build_inputs import described
from gprov.apps.host.initramfs.build_number import MAX_BUILD_NUMBER, given_build_number
from gprov.apps.host.initramfs.build_record import (
    BuildInputs,
    BuildRecord,
    BuildResult,
    Choices,
    InputsDiffer,
    differences,
    remedies,
)
from gprov.apps.host.initramfs.build_record_file import MAX_NAMES, MAX_ROWS, parse_record, serialise_record
from gprov.apps.host.initramfs.builds import BEST_LEVEL
from gprov.apps.host.initramfs.cpio import device_node, folder, regular, symlink
from gprov.apps.host.initramfs.debian_packages import Archive
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import BadInput
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.policy import TrustPolicy

INPUTS = BuildInputs(
    version="1.2.3",
    commit="c" * 40,
    builder="b1",
    choices=Choices(flavor=Flavor.MFG, number=42, level=19, fragments=("server", "./own.config"), firmware=("bnx2",)),
    environment={"KBUILD_BUILD_USER": "gprov"},
    configuration="c1",
    source="s1",
    toolchain={"gcc-12": "12.2.0-14", "make": "4.3-4"},
    packages={"busybox-static": "1:1.35", "make": "4.3-4"},
    python={"requests": "2.31"},
    files={"/init": "-rwxr-xr-x ab", "/usr/bin/A": "lrwxrwxrwx a", "/usr/bin/a": "-rwxr-xr-x cd"},
    archive=Archive("20261129T195001Z", ("busybox-static",)),
)
RESULT = BuildResult(kernel="k1", size=20_000_000, initramfs="i1", modules="m1")
RECORD = BuildRecord(INPUTS, RESULT)

words = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).filter(str.strip)
names = words.filter(lambda name: not name.startswith("_"))
COUNT = st.integers(0, 2**63 - 1)
tables = st.dictionaries(names, words, max_size=4)
records = st.builds(
    BuildRecord,
    st.builds(
        BuildInputs,
        version=words,
        commit=st.text(max_size=3),
        builder=words,
        choices=st.builds(
            Choices,
            flavor=st.sampled_from(Flavor),
            number=COUNT,
            level=st.integers(1, 19),
            fragments=st.lists(words, max_size=3).map(tuple),
            modules=st.booleans(),
            firmware=st.lists(words, max_size=3).map(tuple),
            policy=st.none() | st.sampled_from(TrustPolicy),
            security_version=st.integers(0, MAX_SECURITY_VERSION),
        ),
        environment=tables,
        configuration=words,
        source=words,
        toolchain=tables,
        packages=tables,
        python=tables,
        files=tables,
        archive=st.builds(Archive, st.text(max_size=3), st.lists(words, max_size=3).map(tuple)),
    ),
    st.builds(BuildResult, kernel=words, size=st.integers(1, 2**63 - 1), initramfs=words, modules=st.text(max_size=3)),
)


@given(records)
def test_records_are_read_as_they_were_written(record: BuildRecord) -> None:
    assert parse_record("r", serialise_record(record)) == record


@given(st.binary(max_size=80) | records.map(serialise_record).map(lambda data: data[: len(data) // 2]))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_record("r", data)


def changed(**parts: object) -> bytes:
    return json.dumps({**json.loads(serialise_record(RECORD)), **parts}).encode()


def test_every_problem_is_told() -> None:
    rows = [{"Name": "make", "Version": "1"}, {"Name": "make", "Version": "2"}, {"Name": "x"}]
    options = {"Flavor": "nromal", "BuildNumber": -1, "Level": 0, "Fragments": [], "Firmware": []}
    data = changed(Format=2, Kind="x", Gprov=None, Toolchain=rows, Options=options, Result={"Size": 0}, Initramfs=None)
    with pytest.raises(BadInput) as caught:
        parse_record("r.json", data)
    assert [str(one) for one in caught.value.problems] == [
        "$.Format: must be 1..1, is 2",
        "$.Kind: must be 'gprov build record'",
        "$.Gprov: is missing",
        "$.Options.Flavor: unknown value 'nromal'; known: normal, mfg, mfg-burn-in",
        f"$.Options.BuildNumber: must be 0..{MAX_BUILD_NUMBER}, is -1",
        "$.Options.Level: must be 1..19, is 0",
        "$.Options.SecurityVersion: is missing",
        "$.Toolchain[1].Name: stands twice: 'make'",
        "$.Toolchain[2].Version: is missing",
        "$.Initramfs: is missing",
        "$.Result.Sha256: is missing",
        "$.Result.Size: must be at least 1, is 0",
        "$.Result.Initramfs: is missing",
    ]


def rows(count: int, key: str, value: str) -> list[dict[str, str]]:
    return [{key: str(number), value: "1"} for number in range(count)]


NAMES = ["n"] * (MAX_NAMES + 1)


def test_a_list_that_is_just_not_too_long() -> None:
    record = parse_record("r", changed(Initramfs=rows(MAX_ROWS, "Path", "Content")))
    assert len(record.inputs.files) == MAX_ROWS


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("Name", "Version", ["Toolchain", "Packages", "PythonPackages"]),
        ("Path", "Content", ["Initramfs"]),
        ("Name", "Value", ["Environment"]),
    ],
)
def test_lists_that_are_too_long_are_refused(key: str, value: str, names: list[str]) -> None:
    long = rows(MAX_ROWS + 1, key, value)
    with pytest.raises(BadInput) as caught:
        parse_record("r", changed(**dict.fromkeys(names, long)))
    said = f"must be at most {MAX_ROWS}, are {MAX_ROWS + 1}"
    assert [str(one) for one in caught.value.problems] == [f"$.{name}: {said}" for name in names]


@pytest.mark.parametrize(("part", "key"), [("Options", "Fragments"), ("Options", "Firmware"), ("Archive", "Lacks")])
def test_too_many_names_are_refused(part: str, key: str) -> None:
    whole = json.loads(serialise_record(RECORD))[part]
    parse_record("r", changed(**{part: {**whole, key: NAMES[:-1]}}))
    with pytest.raises(BadInput, match=rf"\$\.{part}\.{key}: must be at most {MAX_NAMES}, are {MAX_NAMES + 1}"):
        parse_record("r", changed(**{part: {**whole, key: NAMES}}))


@pytest.mark.parametrize(
    ("key", "most"),
    [("BuildNumber", MAX_BUILD_NUMBER), ("Level", BEST_LEVEL), ("SecurityVersion", MAX_SECURITY_VERSION)],
)
def test_no_record_has_what_the_command_line_refuses(key: str, most: int) -> None:
    options = json.loads(serialise_record(RECORD))["Options"]
    parse_record("r", changed(Options={**options, key: most}))
    with pytest.raises(BadInput, match=rf"\$\.Options\.{key}: must be "):
        parse_record("r", changed(Options={**options, key: most + 1}))


@pytest.mark.parametrize("text", ["0", "007", str(MAX_BUILD_NUMBER)])
def test_build_numbers_of_the_environment(text: str) -> None:
    assert given_build_number({"BUILD_NUMBER": text}) == int(text)


@pytest.mark.parametrize("text", ["-1", "1.0", "¹", "x", str(MAX_BUILD_NUMBER + 1), "9" * 5000])
def test_what_is_no_build_number(text: str) -> None:
    with pytest.raises(BadInput, match=f"BUILD_NUMBER: must be a decimal number up to {MAX_BUILD_NUMBER}, is '"):
        given_build_number({"BUILD_NUMBER": text})


def test_no_build_number() -> None:
    assert given_build_number({}) is given_build_number({"BUILD_NUMBER": ""}) is None


@pytest.mark.parametrize("missing", ["Options", "Result"])
def test_a_record_without_a_part_is_refused(missing: str) -> None:
    with pytest.raises(BadInput, match=rf"\$\.{missing}: is missing"):
        parse_record("r", changed(**{missing: None}))


def test_the_same_inputs_have_no_differences() -> None:
    """Neither the commit nor the place of the packages is an input."""
    assert differences(INPUTS, replace(INPUTS, commit="", archive=Archive())) == ()


OTHERS: Mapping[str, object] = {
    "version": "1.2.4",
    "builder": "b2",
    "environment": {},
    "configuration": "c2",
    "source": "s2",
    "toolchain": {"gcc-12": "12.2.0-15", "make": "4.3-4"},
    "packages": {"make": "4.3-4"},
    "python": {"requests": "2.31", "urllib3": "2"},
    "files": {**INPUTS.files, "/init": "-rw-r--r-- ab"},
}
SAID = {
    "version": "gprov: recorded 1.2.3, here 1.2.4",
    "builder": "programs that build (gprov/apps/host/initramfs): recorded b1, here b2",
    "environment": "environment KBUILD_BUILD_USER: recorded gprov, here none",
    "configuration": "configuration of the kernel: recorded c1, here c2",
    "source": "source of the kernel: recorded s1, here s2",
    "toolchain": "package gcc-12: recorded 12.2.0-14, here 12.2.0-15",
    "packages": "package busybox-static: recorded 1:1.35, here none",
    "python": "Python package urllib3: recorded none, here 2",
    "files": "initramfs /init: recorded -rwxr-xr-x ab, here -rw-r--r-- ab",
}


def test_no_input_is_forgotten_here() -> None:
    assert {one.name for one in fields(BuildInputs)} == {*OTHERS, "commit", "archive", "choices"}
    assert {one.name for one in fields(Choices)} == {part for part, _, _ in OPTIONS}


@pytest.mark.parametrize("part", OTHERS)
def test_each_input_is_compared(part: str) -> None:
    found = differences(INPUTS, replace(INPUTS, **{part: OTHERS[part]}))  # type: ignore[arg-type]
    assert [str(one) for one in found] == [SAID[part]]


OPTIONS: list[tuple[str, object, str]] = [
    ("flavor", Flavor.NORMAL, "option --flavor: recorded mfg, here normal"),
    ("number", 1, "option BUILD_NUMBER: recorded 42, here 1"),
    ("level", 9, "option --level: recorded 19, here 9"),
    ("fragments", (), "option --fragment: recorded ./own.config server, here none"),
    ("modules", True, "option --modules: recorded no, here yes"),
    ("firmware", ("a", "b"), "option --firmware: recorded bnx2, here a b"),
    ("policy", TrustPolicy.WARN, "option --trust-policy: recorded default, here warn"),
    ("security_version", 3, "option --security-version: recorded 0, here 3"),
]


@pytest.mark.parametrize(("part", "value", "said"), OPTIONS)
def test_each_option_is_compared(part: str, value: object, said: str) -> None:
    choices = replace(INPUTS.choices, **{part: value})  # type: ignore[arg-type]
    assert [str(one) for one in differences(INPUTS, replace(INPUTS, choices=choices))] == [said]


def test_the_order_of_fragments_does_not_matter() -> None:
    choices = replace(INPUTS.choices, fragments=INPUTS.choices.fragments[::-1])
    assert differences(INPUTS, replace(INPUTS, choices=choices)) == ()


def test_what_to_do() -> None:
    here = replace(INPUTS, version="2.0.0", toolchain={"make": "4.4"}, packages={"make": "4.4"})
    assert remedies(INPUTS, here) == (
        f"use gprov 1.2.3, commit {'c' * 40}",
        "apt-get install --allow-downgrades busybox-static=1:1.35 gcc-12=12.2.0-14 make=4.3-4",
        "Debian's snapshot archive of 20261129T195001Z has these versions, but not busybox-static",
    )
    assert remedies(INPUTS, INPUTS) == ()
    unknown = replace(INPUTS, commit="", archive=Archive())
    assert remedies(unknown, here)[::2] == (
        "use gprov 1.2.3, commit not recorded",
        "the record does not say when Debian's archive had these versions",
    )
    only_make = replace(INPUTS, toolchain={**INPUTS.toolchain, "make": "4.4"}, packages={"busybox-static": "1:1.35"})
    assert remedies(INPUTS, only_make)[-1] == "Debian's snapshot archive of 20261129T195001Z has these versions"


def test_the_refusal_has_every_difference_and_the_remedies() -> None:
    here = replace(INPUTS, toolchain={}, python={})
    error = InputsDiffer("r.json", differences(INPUTS, here), remedies(INPUTS, here))
    assert str(error) == "r.json: nothing was built, since 3 inputs differ on this machine"
    assert error.details()[0] == "package gcc-12: recorded 12.2.0-14, here none"
    assert error.details()[-2].startswith("apt-get install")
    assert "1 input differs" in str(InputsDiffer("r", differences(INPUTS, replace(INPUTS, source="")), ()))


def test_what_a_record_says_of_a_node() -> None:
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing
    assert described(regular("a", b"", 0o640)) == f"-rw-r----- {digest}"
    assert described(symlink("a", "b/ü")) == "lrwxrwxrwx b/\\xc3\\xbc"
    assert described(device_node("a", "c", 5, 1)) == "crw------- 5,1"
    assert described(device_node("a", "b", 8, 0)) == "brw------- 8,0"
    assert described(folder("a")) == "drwxr-xr-x"
