"""fstab of PRIMARY: what stands in it, and that its text says exactly that."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.disk.primary_fstab import FstabFacts, FstabVolume, primary_fstab
from gprov.domain.formats.disk.fstab import FstabEntry, render
from gprov.domain.formats.owner import Owner

ADMIN = Owner(1000, 1001)
ROOT = FstabVolume("LABEL=PRIMARY", FileSystemKind.EXT4, ssd=True)
RECOVERY = FstabVolume("LABEL=RECOVERY", FileSystemKind.EXT3)
ESP = FstabVolume("LABEL=ESP", FileSystemKind.VFAT)


def test_uefi_unit() -> None:
    text = render(primary_fstab(FstabFacts(root=ROOT, recovery=RECOVERY, esp=ESP), ADMIN))
    assert text.splitlines() == [
        "LABEL=PRIMARY / ext4 relatime,discard 0 1",
        "LABEL=RECOVERY /mnt/RECOVERY ext3 auto,noexec,relatime,nofail 0 2",
        "LABEL=ESP /mnt/RECOVERY/ESP vfat auto,noexec,relatime,nofail,umask=0077 0 2",
    ]


def test_bios_unit_with_boot_partitions() -> None:
    boot = (FstabVolume("UUID=b", FileSystemKind.EXT4), "/mnt/boot1")
    entries = primary_fstab(FstabFacts(root=ROOT, recovery=RECOVERY, boot=(boot,)), ADMIN)
    assert entries[-1] == FstabEntry(
        source="UUID=b", target="/mnt/boot1", kind="ext4", options=("noauto", "relatime", "noexec"), passno=0
    )


def test_additional_options_follow_the_usual_ones_with_ids_filled_in() -> None:
    recovery = FstabVolume("LABEL=RECOVERY", FileSystemKind.VFAT, ssd=True)
    facts = FstabFacts(root=ROOT, recovery=recovery, extra_options="uid=$u,gid=$g, sync,nofail")
    assert primary_fstab(facts, ADMIN)[1].options == (
        "auto", "noexec", "relatime", "nofail", "uid=1000", "gid=1001", "sync", "discard",
    )  # fmt: skip


def test_override_replaces_the_usual_options() -> None:
    facts = FstabFacts(root=ROOT, recovery=RECOVERY, extra_options="ro,noauto", override=True)
    assert primary_fstab(facts, ADMIN)[1].options == ("ro", "noauto")


def test_override_without_options_keeps_the_usual_ones() -> None:
    """An override with nothing in it would leave a unit that waits for a missing RECOVERY at boot."""
    assert "nofail" in primary_fstab(FstabFacts(root=ROOT, recovery=RECOVERY, override=True), ADMIN)[1].options


def test_ext_is_spared_the_options_that_it_would_refuse() -> None:
    facts = FstabFacts(root=ROOT, recovery=RECOVERY, extra_options="uid=$u,gid=$g,umask=022,data=journal")
    options = primary_fstab(facts, ADMIN)[1].options
    assert options == ("auto", "noexec", "relatime", "nofail", "data=journal")


@pytest.mark.parametrize(
    ("platform", "kept"),
    [
        ("noauto,noexec,noatime,nofail", ("noauto", "noexec", "noatime", "nofail")),
        ("auto,noexec,noatime,nofail", ("auto", "noexec", "noatime", "nofail")),
        ("noexec,noatime,nofail,uid=sdafslfkj,auto", ("noexec", "noatime", "nofail", "auto")),
        (
            "auto,relatime,exec,uid=1,gid=2,user_id=$u,group_id=$g,discard",
            ("auto", "relatime", "exec", "discard"),
        ),
    ],
)
def test_options_of_the_earlier_system(platform: str, kept: tuple[str, ...]) -> None:
    """Values of the earlier Go system's tests (pkg/recovery/disk). It removed ``auto`` and ``nofail`` before a mount of
    its own; here the platform's options are only for fstab, where both stay."""
    facts = FstabFacts(root=ROOT, recovery=RECOVERY, extra_options=platform, override=True)
    assert primary_fstab(facts, ADMIN)[1].options == kept


words = st.text(st.characters(exclude_characters=",\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
entries = st.builds(
    FstabEntry,
    source=words,
    target=words,
    kind=words,
    options=st.lists(words, min_size=1, max_size=3).map(tuple),
    passno=st.integers(0, 9),
    dump=st.integers(0, 1),
)


@given(st.lists(entries, max_size=4))
def test_what_was_rendered_reads_as_fstab_says(table: list[FstabEntry]) -> None:
    """fstab(5): one line each, fields by blanks, octal escapes."""
    *lines, end = render(table).split("\n")
    assert (len(lines), end) == (len(table), "")
    for line, entry in zip(lines, table, strict=True):
        fields = [re.sub(r"\\([0-7]{3})", lambda hit: chr(int(hit[1], 8)), field) for field in re.split(r"[ \t]", line)]
        told = (entry.source, entry.target, entry.kind, ",".join(entry.options), str(entry.dump), str(entry.passno))
        assert tuple(fields) == told
        assert not line.startswith("#")
