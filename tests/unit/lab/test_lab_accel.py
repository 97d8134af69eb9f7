"""Which accelerator is taken, and that the probe is asked once."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.lab.accel import PROBE_WORD, AcceleratorChoice, probe_initramfs
from gprov.apps.host.lab.argv import QEMU, Accelerator
from gprov.domain.errors import BadInput
from gprov.ports.process import Completed


class Probe:
    """Says what it was made to say."""

    def __init__(self, executes: bool) -> None:
        self.executes = executes
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.executes


def choice(
    folder: Path,
    probe: Probe,
    environment: Mapping[str, str] | None = None,
    *,
    version: bytes = b"7.2",
    kvm: bool = True,
) -> AcceleratorChoice:
    device = folder / "kvm"
    if kvm:
        device.touch()
    processes = FakeProcesses({QEMU: lambda *_: Completed(0, version, b"")})
    return AcceleratorChoice(environment or {}, processes, Cache(str(folder / "cache")), probe, str(device))


def test_without_the_device_nothing_is_probed(tmp_path: Path) -> None:
    probe = Probe(True)
    assert choice(tmp_path, probe, kvm=False).choose() is Accelerator.TCG
    assert probe.asked == 0


@pytest.mark.parametrize(("executes", "expected"), [(True, Accelerator.KVM), (False, Accelerator.TCG)])
def test_the_probe_decides_and_its_result_is_cached(tmp_path: Path, executes: bool, expected: Accelerator) -> None:
    probe = Probe(executes)
    assert choice(tmp_path, probe).choose() is expected
    assert choice(tmp_path, probe).choose() is expected
    assert probe.asked == 1


def test_another_qemu_is_probed_again(tmp_path: Path) -> None:
    assert choice(tmp_path, Probe(False), version=b"7.2").choose() is Accelerator.TCG
    assert choice(tmp_path, Probe(True), version=b"9.0").choose() is Accelerator.KVM


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tcg", Accelerator.TCG), ("KVM", Accelerator.KVM), ("tcg,thread=multi", Accelerator.TCG)],
)
def test_the_environment_overrides(tmp_path: Path, text: str, expected: Accelerator) -> None:
    probe = Probe(False)
    assert choice(tmp_path, probe, {"GPROV_ACCEL": text}).choose() is expected
    assert probe.asked == 0


def test_an_unknown_accelerator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="GPROV_ACCEL: must be tcg or kvm, is 'hvf'"):
        choice(tmp_path, Probe(True), {"GPROV_ACCEL": "hvf"}).choose()


def test_the_program_of_the_probe_is_one_segment_that_holds_all_of_it() -> None:
    raw = probe_initramfs()
    start = raw.index(b"\x7fELF")
    entry, offset = struct.unpack_from("<QQ", raw, start + 24)
    kind, flags, position, address, _, size, memory, _ = struct.unpack_from("<IIQQQQQQ", raw, start + offset)
    assert (kind, flags, position) == (1, 5, 0)
    assert size == memory
    assert raw[start + size - len(PROBE_WORD) : start + size] == PROBE_WORD
    assert raw[start + entry - address] == 0xBF  # mov edi, …
