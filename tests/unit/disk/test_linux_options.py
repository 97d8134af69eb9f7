"""Mount options, programs that make file systems, and the environment for init: pure parts of the Linux adapters."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.filesystem.mount_options import kernel_options
from gprov.adapters.linux.filesystem.switch_root import environment_for_init
from gprov.adapters.linux.filesystem.tools import make_command
from gprov.adapters.linux.ioctl.libc import MountFlag
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.errors import BadInput


@pytest.mark.parametrize(
    ("options", "flags", "data"),
    [
        ([], MountFlag(0), ""),
        (["ro"], MountFlag.RDONLY, ""),
        (["ro,noexec", "relatime"], MountFlag.RDONLY | MountFlag.NOEXEC | MountFlag.RELATIME, ""),
        (["ro", "rw"], MountFlag(0), ""),
        (["noexec", "defaults", "nodev"], MountFlag.NODEV, ""),
        (["auto", "nofail", "user", "_netdev", "x-systemd.automount", "comment=a"], MountFlag(0), ""),
        (["discard", "data=journal", "umask=0077"], MountFlag(0), "discard,data=journal,umask=0077"),
        (["rbind"], MountFlag.BIND | MountFlag.REC, ""),
        (["", " ro "], MountFlag.RDONLY, ""),
        # Values of the earlier Go system's tests (pkg/recovery/disk).
        (["noauto,noexec,noatime,nofail"], MountFlag.NOEXEC | MountFlag.NOATIME, ""),
        (["auto,noexec,noatime,nofail"], MountFlag.NOEXEC | MountFlag.NOATIME, ""),
        (["noexec,noatime,nofail,auto"], MountFlag.NOEXEC | MountFlag.NOATIME, ""),
    ],
)
def test_options(options: list[str], flags: MountFlag, data: str) -> None:
    assert kernel_options(options) == (flags, data)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_option_becomes_text_that_the_kernel_can_take(options: list[str]) -> None:
    with suppress(BadInput):
        _, data = kernel_options(options)
        assert "\0" not in data
        assert len(data.encode()) < 4096


def test_too_much_text_is_refused() -> None:
    with pytest.raises(BadInput):
        kernel_options(["a=" + "x" * 5000])


def test_ext4() -> None:
    spec = FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY", reserved_percent=1, encrypt=True)
    assert " ".join(make_command("/dev/sda1", spec)) == (
        "mke2fs -F -q -t ext4 -L PRIMARY -m 1 -O encrypt -E discard,lazy_itable_init=1,lazy_journal_init=0 /dev/sda1"
    )


def test_ext3_has_no_features_that_it_cannot_have() -> None:
    spec = FileSystemSpec(kind=FileSystemKind.EXT3, label="RECOVERY", encrypt=True)
    command = " ".join(make_command("/dev/sda1", spec, discard=False))
    assert command == "mke2fs -F -q -t ext3 -L RECOVERY -m 5 -E nodiscard /dev/sda1"


def test_fat() -> None:
    command = make_command("/dev/sda1", FileSystemSpec(kind=FileSystemKind.VFAT, label="ESP"))
    assert command == ("mkfs.fat", "-F", "32", "-n", "ESP", "/dev/sda1")


def test_init_gets_the_environment_of_the_kernel_not_that_of_the_frozen_program() -> None:
    ours = {"HOME": "/", "real_root": "LABEL=PRIMARY", "LD_LIBRARY_PATH": "/bundle", "_PYI_ARCHIVE_FILE": "/x"}
    assert environment_for_init({**ours, "PYTHONUTF8": "1", "_MEIPASS2": "/x"}) == {
        "HOME": "/",
        "real_root": "LABEL=PRIMARY",
    }
    assert environment_for_init({**ours, "LD_LIBRARY_PATH_ORIG": "/opt"})["LD_LIBRARY_PATH"] == "/opt"
