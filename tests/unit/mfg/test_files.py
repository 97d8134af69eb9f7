"""Where fetched files go, and what never gets there."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.mfg.files import Placement, PlacementKind, RemoteFile, destination, path_problem

BRANDING = Branding()
IMAGE = "WIDGET.LNX.SHINY.2024-02-29.0107.upd"
OTHER, KERNEL = PlacementKind.OTHER, PlacementKind.KERNEL


def place(url: str, dest: str | None = None, *, uefi: bool = True) -> Placement:
    return destination(RemoteFile(url=url, dest=dest), BRANDING, uefi)


@pytest.mark.parametrize("uefi", [True, False])
def test_image_goes_to_its_folder(uefi: bool) -> None:
    expected = Placement(PlacementKind.IMAGE, f"Image/{IMAGE}")
    assert place(f"http://h/a/{IMAGE}?token=1", uefi=uefi) == expected
    assert place("http://h/latest", f"Image/{IMAGE}", uefi=uefi) == expected


@pytest.mark.parametrize("dest", [None, "norm_boot", "ESP/norm_boot"])
def test_boot_kernel_goes_where_the_firmware_starts_it(dest: str | None) -> None:
    url = "http://h/norm_boot" if dest is None else "http://h/build-77"
    assert place(url, dest, uefi=True) == Placement(KERNEL, "ESP/norm_boot")
    assert place(url, dest, uefi=False) == Placement(KERNEL, "norm_boot")


def test_everything_else_goes_to_the_root_or_where_it_says() -> None:
    assert place("http://h/x/notes%20a.txt") == Placement(OTHER, "notes a.txt")
    assert place("http://h/x", "ESP/EFI/tool.efi") == Placement(OTHER, "ESP/EFI/tool.efi")
    assert place("http://h/norm_boot", "old/norm_boot") == Placement(OTHER, "old/norm_boot")
    assert place("http://h/x", f"old/{IMAGE}") == Placement(OTHER, f"old/{IMAGE}")
    assert place("http://h/x", "Images/readme") == Placement(OTHER, "Images/readme")


def test_names_are_those_of_the_branding() -> None:
    mine = Branding(image_prefix="A.B.C.", boot_kernel="vmlinuz")
    file = RemoteFile(url="http://h/A.B.C.2024-01-01.1.upd")
    assert destination(file, mine, True).kind is PlacementKind.IMAGE
    assert destination(RemoteFile(url="http://h/vmlinuz"), mine, True).path == "ESP/vmlinuz"
    assert destination(RemoteFile(url="http://h/norm_boot"), mine, True) == Placement(OTHER, "norm_boot")


@pytest.mark.parametrize(
    "dest",
    [
        "/etc/passwd", "//x", "..", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a/./b", "a\\b", "..\\x", "a\0b",
        "a\nb", "image/x", "IMAGE/x", "esp/x", "Image", "image", "ESP", "log", "Image/" + "n" * 256, "\ud800",
        "Image/WIDGET.LNX.SHINY.2024-13-01.1.upd", "Image/WIDGET.LNX.SHINY.latest.upd",
        "x.partial", "a/x.PARTIAL",
    ],
)  # fmt: skip
def test_refused_destinations(dest: str) -> None:
    with pytest.raises(BadInput):
        place("http://h/x", dest)


@pytest.mark.parametrize(
    "url", ["http://h", "http://h/", "http://h/a/", "http://h/..", "http://h/%2e%2e", "http://h/a%2Fb", "http://h/a%5Cb",
            "http://h/%00", "http://h/%ff", "http://h/WIDGET.LNX.SHINY.2024-1-1.1.upd"],
)  # fmt: skip
def test_refused_names_in_urls(url: str) -> None:
    with pytest.raises(BadInput):
        place(url)


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("aE./\\\0 I"), max_size=12) | st.text(max_size=20))
def test_accepted_paths_stay_below_their_root(path: str) -> None:
    if path_problem(path) is None:
        joined = posixpath.normpath(posixpath.join("/mnt/RECOVERY", path))
        assert joined == f"/mnt/RECOVERY/{path}"


def test_archives_are_known_by_their_suffix() -> None:
    names = ("a.txz", "a.tar.xz", "a.tar", "a.xz", "atxz")
    assert [RemoteFile(url=f"http://h/{name}").is_archive for name in names] == [True, True, False, False, False]
