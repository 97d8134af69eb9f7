"""The ioctl of NVMe admin commands. tests/integ/disk/test_nvme_oracles.py compares the layout with the kernel's."""

from __future__ import annotations

import ctypes
import os

import pytest

from gprov.adapters.linux.ioctl.nvme import ADMIN_COMMAND, PassthruCommand, admin, packed
from gprov.domain.erase.drive_io import NvmeCommand

COMMAND = NvmeCommand(opcode=0x80, namespace=3, dwords=(0x201, 11, 12, 13, 14, 0xFFFFFFFF), data_in=4096, seconds=1.5)


def test_the_fields_of_a_command() -> None:
    raw = bytes(packed(COMMAND, 0x1122334455667788))
    words = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)]
    assert words == [0x80, 3, 0, 0, 0, 0, 0x55667788, 0x11223344, 0, 4096, 0x201, 11, 12, 13, 14, 0xFFFFFFFF, 1500, 0]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0.0, 1), (21600.0, 21_600_000), (1e9, 0xFFFFFFFF)])
def test_a_time_limit_is_never_the_default_of_the_kernel(seconds: float, milliseconds: int) -> None:
    assert packed(NvmeCommand(opcode=6, seconds=seconds), 0).timeout_ms == milliseconds


def test_the_request_number() -> None:
    """As strace shows it for nvme-cli."""
    assert ADMIN_COMMAND == 0xC0484E41
    assert ctypes.sizeof(PassthruCommand) == 72


def test_a_file_that_is_no_nvme_device_raises() -> None:
    with open(os.devnull, "rb") as other, pytest.raises(OSError, match="Inappropriate ioctl"):
        admin(other.fileno(), COMMAND)
