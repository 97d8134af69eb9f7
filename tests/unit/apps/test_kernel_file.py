"""A kernel on a mounted volume is read to its end before anything starts from it."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.boot.kernel_file import read_kernel
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.formats.bzimage import parse_whole

PATH = "/run/norm_boot"
KERNEL = build_kernel(7)


def files_with(content: bytes) -> FakeFiles:
    files = FakeFiles(SimulatedMachine())
    files.make_folder("/run")
    files.replace(PATH, content)
    return files


def test_a_whole_kernel_says_which_it_is() -> None:
    assert read_kernel(files_with(KERNEL), PATH).build_number == 7
    assert parse_whole(KERNEL).build_number == 7


@pytest.mark.parametrize("content", [KERNEL[:-1], KERNEL[:1024], b"MZ" + bytes(4096), b""])
def test_a_cut_or_foreign_file_is_none(content: bytes) -> None:
    with pytest.raises(BadInput):
        read_kernel(files_with(content), PATH)
    with pytest.raises(BadInput):
        parse_whole(content)


def test_a_missing_file_is_missing() -> None:
    with pytest.raises(DeviceMissing):
        read_kernel(FakeFiles(SimulatedMachine()), PATH)
