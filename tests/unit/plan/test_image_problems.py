"""Why an image that is intact could never boot as an appliance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import Room
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.verify import verify_image
from gprov.domain.plan.preconditions import image_problems

BRANDING = Branding()
GOOD = verify_image("x.upd", build_image(build_kernel(1)))


OPEN_SHADOW = b"root::1:0:99999:7:::\nadmin:*:1:0:99999:7:::\n"
OPEN_PASSWD = b"root::0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n"


def problems(image: VerifiedImage, room: Room | None = None) -> list[str]:
    return [str(problem) for problem in image_problems(image, BRANDING, room)]


def having(**files: bytes | bool | None) -> VerifiedImage:
    return replace(GOOD, files=replace(GOOD.files, **files))  # type: ignore[arg-type]  # each test names its field


def test_an_image_as_it_should_be() -> None:
    assert problems(GOOD) == []


def test_an_image_that_does_not_fit_the_disk() -> None:
    needs = GOOD.needs
    assert needs.allocated >= GOOD.content_bytes
    assert needs.inodes >= GOOD.entries
    assert problems(GOOD, Room(needs.allocated, needs.inodes)) == []
    said = f"needs {needs.allocated} bytes and {needs.inodes} inodes, and the disk has room for"
    less = Room(needs.allocated - 1, needs.inodes)
    assert problems(GOOD, less) == [f"{said} {less.bytes} bytes and {less.inodes} inodes"]
    assert problems(GOOD, Room(needs.allocated, needs.inodes - 1))[0].startswith(said)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (having(has_init=False), "/usr/lib/systemd/systemd: is not in the image"),
        (having(passwd=None), "/etc/passwd: is not in the image"),
        (having(shadow=None), "/etc/shadow: is not in the image"),
        (having(group=None), "/etc/group: is not in the image"),
        (having(passwd=b"root:x:0:0::/:/bin/sh\n"), "/etc/passwd: no user 'admin'"),
        (having(passwd=b"admin:x\n"), "/etc/passwd: line 1: must have 7 fields, has 2"),
        (having(shadow=b"root:*:1:0:99999:7:::\n"), "/etc/shadow: no user 'admin'"),
        (having(group=b"systemd-journal:x:many:\n"), "/etc/group: line 1: field 3 must be a number up to 4294967294"),
        (having(shadow=OPEN_SHADOW), "/etc/shadow: 'root' can log in without a password: lock the account"),
        (having(passwd=OPEN_PASSWD), "/etc/shadow: 'root' can log in without a password: lock the account"),
        (
            having(passwd=b"admin:*:1000:1000::/home/admin:/bin/sh\n"),
            "/etc/passwd: line 1: the password field of 'admin' must be x, so that the password in shadow counts",
        ),
        (having(kernel_start=None), "/boot/norm_boot: is not in the image"),
        (having(kernel_start=b"MZ"), "/boot/norm_boot: is 2 bytes long, shorter than a kernel's header"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(image: VerifiedImage, said: str) -> None:
    assert problems(image) == [said]


def test_everything_is_told_at_once() -> None:
    assert len(problems(replace(GOOD, files=CapturedFiles()), Room(0, 0))) == 6
