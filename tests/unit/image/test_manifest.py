"""The manifest of an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import seeds
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.formats.image.capture import CapturedNames
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Needs
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.manifest import (
    MAX_MANIFEST,
    Manifest,
    Release,
    make_manifest,
    parse_manifest,
    serialise_manifest,
)
from gprov.domain.image.name import ImageName
from gprov.domain.image.verify import verify_image

NAMES = captured_names(Branding())
COUNT = st.integers(0, 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=10)
CONTENT = st.none() | st.binary(max_size=40)
MEMBER = TEXT.filter(str.strip).map(str.encode)
IMAGE_NAMES = st.builds(
    lambda day, build, prefix: ImageName(day, int(build), build, prefix),
    st.dates(date(1000, 1, 1)),
    st.text("0123456789", min_size=1, max_size=6),
    st.sampled_from(("WIDGET.LNX.SHINY.", "", "prefix ", "2024-01-01.1.")),
)
VERSIONS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted)
MANIFESTS = st.builds(
    make_manifest,
    IMAGE_NAMES,
    st.builds(
        VerifiedImage,
        path=st.just("/anywhere/x.upd"),
        size=st.integers(1, 2**63 - 1),
        unpacked=COUNT,
        content_bytes=COUNT,
        entries=COUNT,
        digest=st.binary(min_size=32, max_size=32).map(bytes.hex),
        needs=st.builds(Needs, COUNT, COUNT),
        has_acls=st.booleans(),
        notes=st.lists(TEXT, max_size=3).map(tuple),
        files=st.builds(
            CapturedFiles,
            passwd=CONTENT,
            group=CONTENT,
            shadow=CONTENT,
            fstab=CONTENT,
            hosts=CONTENT,
            imgmeta=CONTENT,
            kernel_start=CONTENT,
            has_init=st.booleans(),
            has_network=st.booleans(),
            module_releases=st.lists(TEXT, max_size=3).map(tuple),
        ),
    ),
    st.builds(CapturedNames, MEMBER, MEMBER, st.frozensets(MEMBER), st.frozensets(MEMBER)),
    st.builds(
        lambda pair, platforms: Release(pair[1], pair[0], tuple(platforms)), VERSIONS, st.lists(TEXT, max_size=3)
    ),
)


@pytest.fixture(scope="module")
def image() -> bytes:
    return seeds.xz(seeds.tar({"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "etc/shadow": b"root:*:1::::::\n"}))


@pytest.fixture(scope="module")
def manifest(image: bytes) -> Manifest:
    name = ImageName(date(2024, 2, 29), 107, "0107", "WIDGET.LNX.SHINY.")
    return make_manifest(name, verify_image("/tmp/x.upd", image), NAMES, Release(3, 2, ("one", "two")))


def changed(manifest: Manifest, **values: object) -> bytes:
    return json.dumps({**json.loads(serialise_manifest(manifest)), **values}).encode()


def problems(data: bytes) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_manifest("x.upd.manifest", data)
    return [str(one) for one in caught.value.problems]


def test_it_replaces_a_verification(image: bytes, manifest: Manifest) -> None:
    """A unit that trusts the manifest knows all that verification would find."""
    found = parse_manifest("m", serialise_manifest(manifest))
    assert found.verified_image("/mnt/RECOVERY/Image/x.upd") == verify_image("/mnt/RECOVERY/Image/x.upd", image)
    assert found.names == NAMES
    assert found.image.files.shadow


@given(MANIFESTS)
def test_it_is_read_as_written(manifest: Manifest) -> None:
    data = serialise_manifest(manifest)
    found = parse_manifest("m", data)
    assert found == manifest
    assert serialise_manifest(found) == data


def test_one_of_an_earlier_version_does_not_say_whether_there_are_acls(manifest: Manifest) -> None:
    assert not manifest.image.has_acls
    document = json.loads(serialise_manifest(manifest))
    del document["Acls"]
    assert parse_manifest("m", json.dumps(document).encode()).image.has_acls


def test_others_read_the_document(manifest: Manifest) -> None:
    value = json.loads(serialise_manifest(manifest))
    assert (value["Name"], value["Date"], value["Build"]) == (
        "WIDGET.LNX.SHINY.2024-02-29.0107.upd",
        "2024-02-29",
        "0107",
    )
    assert (value["SecurityVersion"], value["Floor"], value["Platforms"]) == (3, 2, ["one", "two"])
    assert (value["Size"], value["Sha256"]) == (manifest.image.size, manifest.image.digest)


def test_it_is_for_the_named_platforms(manifest: Manifest) -> None:
    assert manifest.release.is_for("one")
    assert not manifest.release.is_for("three")
    assert Release().is_for("three")


def test_secrets_of_the_image_are_not_printed(manifest: Manifest) -> None:
    assert "root:" not in repr(manifest)


def test_a_floor_above_the_image_is_refused(image: bytes, manifest: Manifest) -> None:
    with pytest.raises(BadInput, match="Floor: must be at most the security version"):
        make_manifest(manifest.name, manifest.image, NAMES, Release(1, 2))
    assert problems(changed(manifest, Floor=4)) == ["$.Floor: must be at most the security version, 3, is 4"]


# Key: a wrong value, and the beginning of the message.
WRONG: Mapping[str, tuple[object, str]] = {
    "Format": (2, "$.Format: must be 1..1, is 2"),
    "Kind": ("other", "$.Kind: must be 'gprov image manifest'"),
    "Date": ("2024-02-28", "$.Name: date"),
    "Build": ("107", "$.Name: date"),
    "Name": ("../WIDGET.LNX.SHINY.2024-02-29.0107.upd", "$.Name: must be the name of a file, without folders"),
    "SecurityVersion": (-1, "$.SecurityVersion: must be 0..2147483647, is -1"),
    "Platforms": ([1], "$.Platforms[0]: must be whole text, is number 1"),
    "Size": (0, "$.Size: must be at least 1, is 0"),
    "Sha256": ("A" * 64, "$.Sha256: must be 64 hexadecimal digits in lower case"),
    "Unpacked": ("1", "$.Unpacked: must be a whole number, is text '1'"),
    "Members": (None, "$.Members: is missing"),
    "ContentBytes": (-1, "$.ContentBytes: must be at least 0, is -1"),
    "Acls": (0, "$.Acls: must be"),
    "Needs": ({"Allocated": 1}, "$.Needs.Inodes: is missing"),
    "Captured": (None, "$.Captured: is missing"),
}


@pytest.mark.parametrize("key", WRONG)
def test_what_is_wrong_is_named(manifest: Manifest, key: str) -> None:
    value, message = WRONG[key]
    assert any(one.startswith(message) for one in problems(changed(manifest, **{key: value})))


def test_all_problems_at_once(manifest: Manifest) -> None:
    found = problems(changed(manifest, Size=0, Sha256="x", Captured={"Passwd": "%"}))
    assert [one.split(":")[0] for one in found] == [
        "$.Captured.KernelPath",
        "$.Captured.ImgMetaPath",
        "$.Captured.InitPaths",
        "$.Captured.Paths",
        "$.Captured.Passwd",
        "$.Size",
        "$.Sha256",
    ]


def test_one_of_another_kind_or_size() -> None:
    assert "$.Kind: is missing" in problems(b"{}")
    assert problems(bytes(MAX_MANIFEST + 1)) == [f"has more than {MAX_MANIFEST} bytes"]


def places(value: object, path: str = "$") -> list[str]:
    """Paths of all keys of a document."""
    if not isinstance(value, dict):
        return []
    return [place for key, inner in value.items() for place in (f"{path}.{key}", *places(inner, f"{path}.{key}"))]


def without(value: dict[str, object], place: str) -> bytes:
    """The document without one key."""
    *folders, name = place.split(".")[1:]
    copy = json.loads(json.dumps(value))
    inner = copy
    for folder in folders:
        inner = inner[folder]
    del inner[name]
    return json.dumps(copy).encode()


OPTIONAL = {
    "$.Platforms", "$.Notes", "$.Acls", "$.Captured.HasInit", "$.Captured.HasNetwork", "$.Captured.ModuleReleases",
    "$.Captured.Passwd", "$.Captured.Shadow",
}  # fmt: skip


def test_every_key_is_needed_but_for_those_with_a_default(manifest: Manifest) -> None:
    value = json.loads(serialise_manifest(manifest))
    assert set(places(value)) >= OPTIONAL
    for place in places(value):
        if place in OPTIONAL:
            parse_manifest("m", without(value, place))
        else:
            assert f"{place}: is missing" in problems(without(value, place))


def test_what_is_missing_is_nothing(manifest: Manifest) -> None:
    value = json.loads(serialise_manifest(manifest))
    del value["Platforms"], value["Notes"]
    value["Captured"] = {key: value["Captured"][key] for key in ("KernelPath", "ImgMetaPath", "InitPaths", "Paths")}
    found = parse_manifest("m", json.dumps(value).encode())
    assert (found.release.platforms, found.image.notes, found.image.files) == ((), (), CapturedFiles())


@pytest.mark.parametrize("key", ["Unpacked", "ContentBytes", "Members", "SecurityVersion", "Floor"])
def test_numbers_may_be_zero_and_not_less(manifest: Manifest, key: str) -> None:
    other = {"Floor": 0} if key == "SecurityVersion" else {}
    parse_manifest("m", changed(manifest, **{key: 0}, **other))
    assert [one.partition(" must be ")[0] for one in problems(changed(manifest, **{key: -1}, **other))] == [f"$.{key}:"]


def test_needs_may_be_zero_and_not_less(manifest: Manifest) -> None:
    for needs in ({"Allocated": 0, "Inodes": 5}, {"Allocated": 5, "Inodes": 0}):
        assert parse_manifest("m", changed(manifest, Needs=needs)).image.needs == Needs(*needs.values())
    assert problems(changed(manifest, Needs={"Allocated": -1, "Inodes": -1})) == [
        "$.Needs.Allocated: must be at least 0, is -1",
        "$.Needs.Inodes: must be at least 0, is -1",
    ]


def test_the_largest_versions(manifest: Manifest) -> None:
    most = 2**31 - 1
    found = parse_manifest("m", changed(manifest, SecurityVersion=most, Floor=most))
    assert (found.release.security_version, found.release.floor) == (most, most)
    assert problems(changed(manifest, SecurityVersion=most + 1, Floor=most + 1)) == [
        f"$.{key}: must be 0..2147483647, is 2147483648" for key in ("SecurityVersion", "Floor")
    ]


@pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "0" * 63 + "g", "0" * 63 + "F", "0" * 90])
def test_digests_that_are_none(manifest: Manifest, digest: str) -> None:
    message = f"$.Sha256: must be 64 hexadecimal digits in lower case, is {digest[:80]!r}"
    assert problems(changed(manifest, Sha256=digest)) == [message]
    assert problems(changed(manifest, Sha256="")) == ["$.Sha256: must not be empty"]


@pytest.mark.parametrize("prefix", ["a/", "/", "\0", "a\0"])
def test_a_name_is_that_of_a_file(manifest: Manifest, prefix: str) -> None:
    name = f"{prefix}2024-02-29.0107.upd"
    assert problems(changed(manifest, Name=name)) == ["$.Name: must be the name of a file, without folders"]


def test_a_bad_name_does_not_hide_other_problems(manifest: Manifest) -> None:
    found = problems(changed(manifest, Name="x.upd", Size=0))
    assert found[0].startswith("$.Name: ")
    assert found[-1] == "$.Size: must be at least 1, is 0"


def test_contents_are_base64(manifest: Manifest) -> None:
    captured = json.loads(serialise_manifest(manifest))["Captured"]
    for text in ("%", "YQ", "\u00fc"):
        assert problems(changed(manifest, Captured={**captured, "Hosts": text})) == ["$.Captured.Hosts: is not base64"]
    found = parse_manifest("m", changed(manifest, Captured={**captured, "Hosts": "YQ=="}))
    assert found.image.files.hosts == b"a"


def test_the_form_of_the_document(manifest: Manifest) -> None:
    """A signature is over these bytes; people read them."""
    data = serialise_manifest(manifest)
    assert data == json.dumps(json.loads(data), indent=1).encode() + b"\n"
    assert list(json.loads(data))[:6] == ["Format", "Kind", "Name", "Date", "Build", "SecurityVersion"]
    assert (json.loads(data)["Format"], json.loads(data)["Kind"]) == (1, "gprov image manifest")
    captured = json.loads(data)["Captured"]
    assert captured["InitPaths"] == sorted(captured["InitPaths"])
    assert captured["Paths"] == sorted(captured["Paths"])
    assert len(captured["Paths"]) > 1


def test_the_largest_manifest(manifest: Manifest) -> None:
    data = serialise_manifest(manifest)
    assert MAX_MANIFEST == 4194304
    assert parse_manifest("m", data + b" " * (MAX_MANIFEST - len(data))) == manifest


def test_unknown_keys_are_left_to_later_versions(manifest: Manifest) -> None:
    assert parse_manifest("m", changed(manifest, _Comment=1, Later="x")) == manifest
