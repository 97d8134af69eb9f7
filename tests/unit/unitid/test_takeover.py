"""Findings about a RECOVERY of gprovision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.formats.bzimage import KernelFacts
from gprov.domain.unit.takeover import RecoveryContents, Weight, judge
from tests.gprovision import menus, volumes

OLD = KernelFacts("4.19.114-norm_boot", "user@host", "#37 SMP", 37)
NEW = KernelFacts("6.1.192-gprov", "gprov@gprov", "#40 SMP", 40)
NAME = "WIDGET.LNX.SHINY.2024-02-01.0002.upd"
FILES = {
    "menu.lst": menus.first_menu(),
    "GPROVFBK.boot": menus.fallback_menu(),
    "insecure.storage": volumes.PLAIN_TEXT,
    "fr.data": volumes.options("console=ttyS0"),
    "log/recovery_history.json": volumes.HISTORY,
    "platform.ident": b"QEMU-mfg-test\n",
}
USUAL = RecoveryContents(
    kind="ext3", label="RECOVERY", owner=1001, images=(NAME,), kernel=NEW, image_kernel=NEW, files=FILES
)


def found(contents: RecoveryContents, weight: Weight, names: tuple[str, ...] | None = None) -> dict[str, str]:
    return {each.subject: each.text for each in judge(contents, Branding(), names) if each.weight is weight}


def test_a_usual_one_is_taken_over() -> None:
    assert found(USUAL, Weight.BLOCKS) == {}
    notes = found(USUAL, Weight.NOTE)
    expected = {"root folder", "menu.lst", "GPROVFBK.boot", "insecure.storage", "fr.data", "platform.ident"}
    assert notes.keys() == expected
    assert "replace that one, too" in notes["menu.lst"]
    assert "user 1001" in notes["root folder"]
    assert "add PROVISION_LOADER_FALLBACK=1 to its kernel line" in notes["GPROVFBK.boot"]
    assert "Change all three" in notes["insecure.storage"]
    assert "http://10.0.2.2:65432/ must be a factory server of gprov" in notes["fr.data"]
    fine = found(USUAL, Weight.FINE)
    assert fine["fr.data"] == "BootArgs go into the boot entries: console=ttyS0"
    assert fine["Image"].startswith(f"{NAME} is restored first")


@pytest.mark.parametrize(
    ("contents", "subject", "text"),
    [
        (
            replace(USUAL, kind="ntfs3"),
            "file system",
            "cannot be ntfs3: copy the files, make it ext3 and copy them back",
        ),
        (replace(USUAL, kind="9p", label=""), "file system", "cannot be 9p: give the machine a disk for it"),
        (replace(USUAL, label="USB"), "label", "is USB: units look for RECOVERY"),
        (replace(USUAL, images=None), "Image", "nothing to restore"),
        (replace(USUAL, images=("x.upd",)), "Image", "nothing to restore"),
        (replace(USUAL, image_problem="is cut short"), f"Image/{NAME}", "is cut short"),
        (replace(USUAL, kernel=None), "norm_boot", "is missing or no kernel"),
        (
            replace(USUAL, kernel=replace(NEW, build_number=41)),
            "kernel of the newest image",
            "#40 loses against RECOVERY's #41",
        ),
        (
            replace(USUAL, kernel=replace(OLD, build_number=40)),
            "kernel of the newest image",
            "#40 is the number of RECOVERY's too",
        ),
    ],
)
def test_what_blocks(contents: RecoveryContents, subject: str, text: str) -> None:
    assert text in found(contents, Weight.BLOCKS)[subject]


def test_kernels_that_do_not_block() -> None:
    for old in (NEW, OLD, replace(OLD, build_number=None), None):
        changed = replace(USUAL, kernel=old)
        assert "kernel of the newest image" in found(changed, Weight.FINE)
    unread = replace(USUAL, image_kernel=None)
    assert "kernel of the newest image" not in found(unread, Weight.FINE) | found(unread, Weight.BLOCKS)


@pytest.mark.parametrize(("names", "count"), [((), 0), (("QEMU-mfg-test",) * 2, 2)])
def test_a_code_name_that_is_not_exactly_once_in_the_table(names: tuple[str, ...], count: int) -> None:
    assert f"is {count} times in the table" in found(USUAL, Weight.BLOCKS, names)["platform.ident"]
    assert "platform.ident" in found(USUAL, Weight.FINE, ("other", "QEMU-mfg-test"))


@pytest.mark.parametrize(
    ("path", "content", "text"),
    [
        ("insecure.storage", b"x", "a restore locks the administrator's account"),
        ("fr.data", b"{", "is not used"),
        ("log/recovery_history.json", b"{", "a new history is begun"),
        ("log/netd.tar", b"no archive", "is not restored"),
    ],
)
def test_damaged_files_are_named(path: str, content: bytes, text: str) -> None:
    assert text in found(replace(USUAL, files={**FILES, path: content}), Weight.NOTE)[path]


def test_an_image_with_many_failures_is_named() -> None:
    history = b'{"ImageResults":[{"Image":"%s","ImagingFailures":6}]}' % NAME.removesuffix(".upd").encode()
    text = found(replace(USUAL, files={"log/recovery_history.json": history}), Weight.NOTE)["log/recovery_history.json"]
    assert "has failed 6 times" in text


@given(st.dictionaries(st.sampled_from([*FILES, "log/netd.tar"]), st.binary(max_size=200)))
def test_any_content_gives_findings_that_hold_no_password(files: dict[str, bytes]) -> None:
    findings = judge(replace(USUAL, files={**FILES, **files}), Branding())
    assert all(each.text for each in findings)
    assert not any(volumes.PASSWORD in each.text for each in findings)
