"""Files beside an image: their names, and that they leave RECOVERY with it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.image.companions import companions_of, image_of_companion, is_companion
from gprov.domain.image.name import ImageName
from gprov.domain.image.retention import ImageFacts, StoredFile, StoredImage, plan_images
from gprov.domain.mfg.files import PlacementKind, RemoteFile, destination

PREFIX = Branding().image_prefix
IMAGE = f"{PREFIX}2026-01-15.1.upd"
SHA256 = "0" * 64


def image(day: int) -> StoredImage:
    return StoredImage(ImageName(date(2026, 1, day), 1, "1", "W."), 1000)


def beside(day: int) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(name, 10) for name in companions_of(image(day).name.filename))


@pytest.mark.parametrize("name", [*companions_of(IMAGE), "trust.chain"])
def test_what_belongs_beside_an_image(name: str) -> None:
    assert is_companion(name, PREFIX)


@pytest.mark.parametrize(
    "name",
    [
        IMAGE,
        f"{IMAGE}.minisig",
        f"{IMAGE}.manifest.minisig.minisig",
        f"{PREFIX}2026-02-30.1.upd.manifest",
        "OTHER.2026-01-15.1.upd.manifest",
        f"{PREFIX}2026-01-15.1.manifest",
        "Trust.chain",
        "manifest",
        "",
    ],
)
def test_what_does_not(name: str) -> None:
    assert not is_companion(name, PREFIX)


@given(st.text())
def test_a_companion_belongs_to_the_image_whose_companion_it_is(name: str) -> None:
    owner = image_of_companion(name)
    assert not owner or name in companions_of(owner)


@pytest.mark.parametrize("name", [*companions_of(IMAGE), "trust.chain"])
def test_the_factory_puts_it_beside_the_image(name: str) -> None:
    placement = destination(RemoteFile(url=f"http://factory/{name}", sha256=SHA256), Branding(), uefi=True)
    assert (placement.kind, placement.path) == (PlacementKind.OTHER, f"Image/{name}")


def test_manifest_and_signature_leave_after_their_image() -> None:
    images = tuple(image(day) for day in range(1, 6))
    companions = tuple(file for day in range(1, 6) for file in beside(day))
    removals = plan_images(ImageFacts(images=images, companions=companions))
    assert [removal.name for removal in removals] == [image(2).name.filename, *(file.name for file in beside(2))]


def test_images_that_the_owner_does_not_allow_do_not_push_out_good_ones() -> None:
    """Nor do they take the place of the original; they go if space is missing, before good ones."""
    images = tuple(image(day) for day in range(1, 10))
    refused = frozenset(image(day).name.filename for day in (1, 7, 8, 9))
    facts = ImageFacts(images=images, refused=refused)
    assert [removal.name for removal in plan_images(facts)] == [image(3).name.filename]
    short = ImageFacts(images=images, refused=refused, required=3000)
    assert [removal.name for removal in plan_images(short)] == [image(day).name.filename for day in (3, 1, 7)]


def test_if_none_is_allowed_all_stay() -> None:
    images = tuple(image(day) for day in range(1, 10))
    refused = frozenset(one.name.filename for one in images)
    assert plan_images(ImageFacts(images=images, refused=refused, required=10_000)) == ()


def test_what_belongs_to_no_image_leaves_unless_its_image_is_being_downloaded() -> None:
    partial = StoredFile(f"{image(9).name.filename}.partial", 500)
    removals = plan_images(
        ImageFacts(images=(image(1),), partials=(partial,), companions=(*beside(1), *beside(8), *beside(9)))
    )
    assert [removal.name for removal in removals] == [file.name for file in beside(8)]


def test_it_leaves_with_a_download_that_is_given_up() -> None:
    partial = StoredFile(f"{image(9).name.filename}.partial", 500)
    removals = plan_images(
        ImageFacts(images=(image(1),), partials=(partial,), companions=beside(9), free=0, required=400)
    )
    assert [removal.name for removal in removals] == [partial.name, *(file.name for file in beside(9))]


def test_what_is_to_be_downloaded_stays() -> None:
    [manifest, signature] = beside(8)
    facts = ImageFacts(images=(image(1),), companions=(manifest, signature), protected=frozenset({manifest.name}))
    assert [removal.name for removal in plan_images(facts)] == [signature.name]


def test_it_stays_with_an_image_of_which_only_a_second_download_leaves() -> None:
    """Without them the image that stays would be refused."""
    partial = StoredFile(f"{image(1).name.filename}.partial", 500)
    facts = ImageFacts(images=(image(1),), partials=(partial,), companions=beside(1), free=0, required=400)
    assert [removal.name for removal in plan_images(facts)] == [partial.name]


def test_it_stays_with_a_download_of_an_image_that_leaves() -> None:
    images = tuple(image(day) for day in range(1, 6))
    partial = StoredFile(f"{image(2).name.filename}.partial", 500)
    facts = ImageFacts(images=images, partials=(partial,), companions=beside(2))
    assert [removal.name for removal in plan_images(facts)] == [image(2).name.filename]


@given(
    days=st.sets(st.integers(1, 9)),
    downloads=st.sets(st.integers(1, 9)),
    companions=st.sets(st.integers(1, 9)),
    required=st.integers(0, 9000),
)
def test_whatever_leaves_each_image_that_stays_keeps_its_files(
    days: set[int], downloads: set[int], companions: set[int], required: int
) -> None:
    images = tuple(image(day) for day in sorted(days))
    partials = tuple(StoredFile(f"{image(day).name.filename}.partial", 500) for day in sorted(downloads))
    files = tuple(file for day in sorted(companions) for file in beside(day))
    removals = plan_images(ImageFacts(images=images, partials=partials, companions=files, required=required))
    gone = [removal.name for removal in removals]
    assert len(gone) == len(set(gone))
    present = {one.name.filename for one in images} | {one.name for one in partials}
    for day in companions:
        name = image(day).name.filename
        stays = {name, f"{name}.partial"} & present - set(gone)
        assert all((file.name in gone) != bool(stays) for file in beside(day))
