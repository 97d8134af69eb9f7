"""Boot entries, efivarfs and consoles on real firmware: OVMF starts a kernel whose process 1 reports what it sees.

The entries that OVMF executes are those that our planner made; virt-firmware, the other reader, finds them in the
variable store afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from virt.firmware.efi import efivar
from virt.firmware.varstore import edk2

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.builds import Builder
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.closure import module_search_path
from gprov.apps.host.initramfs.kernel_settings import shipped_choice
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.spec import Flavor

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
PROGRAMS = ("qemu-system-x86_64", "sfdisk", "mkfs.vfat", "mcopy", "mmd", "zstd", "make")
DEADLINE = 300.0
MARK = "GUEST-REPORT "
KEY_MARK = "PRESS-A-KEY"
ESP_GUID = "0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee"
ESP_START, ESP_SECTORS = 2048, 131072
NORMAL, RESTORE, ERASE = "Normal Boot", "Forced Factory Restore", "Data Erase (DANGER!)"

pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"needs {PROGRAMS}"),
    pytest.mark.skipif(not FIRMWARE.exists(), reason="needs the package ovmf"),
]

Facts = dict[str, object]


@pytest.fixture(scope="module")
def kernel() -> Path:
    """The kernel as it is built for units, with the test's initramfs inside. From the cache if nothing changed."""
    builds = Builder(SystemProcesses(), Cache(default_root(os.environ)), BuildProgress(sys.stderr))
    path = [str(HERE / "vm"), *module_search_path()]
    initramfs = builds.initramfs(str(HERE / "vm" / "initramfs.toml"), Flavor.NORMAL, path=path, level=3)
    choice = shipped_choice(str(ROOT / "buildroot" / "kernel"))
    return Path(builds.kernel(choice, initramfs, 1, len(os.sched_getaffinity(0))).files.image)


@pytest.fixture(scope="module")
def disk(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT disk with nothing but an ESP: the kernel, and its second copy for firmware without boot entries."""
    folder = tmp_path_factory.mktemp("disk")
    image, esp = folder / "disk", folder / "esp"
    with image.open("wb") as file:
        file.truncate((ESP_START + ESP_SECTORS + 2048) * 512)
    table = f"label: gpt\nstart={ESP_START}, size={ESP_SECTORS}, type=U, uuid={ESP_GUID}\n"
    run("sfdisk", "--quiet", str(image), stdin=table)
    with esp.open("wb") as file:
        file.truncate(ESP_SECTORS * 512)
    run("mkfs.vfat", "-n", "ESP", str(esp))
    run("mcopy", "-i", str(esp), str(kernel), "::norm_boot")
    run("mmd", "-i", str(esp), "::EFI", "::EFI/BOOT")
    run("mcopy", "-i", str(esp), str(kernel), "::EFI/BOOT/BOOTX64.EFI")
    with image.open("r+b") as file, esp.open("rb") as content:
        file.seek(ESP_START * 512)
        shutil.copyfileobj(content, file)
    return image


def run(*argv: str, stdin: str = "") -> None:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"


@dataclass
class Nvram:
    """OVMF's variable store, as virt-firmware sees it."""

    file: Path

    def read(self) -> dict[str, bytes]:
        return {name: variable.data for name, variable in edk2.Edk2VarStore(str(self.file)).get_varlist().items()}

    def entry(self, description: str) -> int:
        for name, data in self.read().items():
            if name.startswith("Boot0") and str(efivar.EfiVar(name, data=data).fmt_boot_entry()).find(description) >= 0:
                return int(name[4:], 16)
        raise AssertionError(f"no entry {description!r}")

    def set(self, name: str, data: bytes) -> None:
        store = edk2.Edk2VarStore(str(self.file))
        variables = store.get_varlist()
        variables[name] = efivar.EfiVar(name, attr=7, data=data)
        store.write_varstore(str(self.file), variables)


def start(arguments: Sequence[str], key: bytes = b"") -> Facts:
    """Run a machine to its end; what its process 1 reported. ``key`` is typed when the guest asks for one."""
    machine = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-nodefaults"]
    serial = ["-display", "none", "-serial", "stdio", "-no-reboot"]
    argv = ["qemu-system-x86_64", *machine, *serial, *arguments]
    end = time.monotonic() + DEADLINE
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        assert qemu.stdin is not None
        assert qemu.stdout is not None
        os.set_blocking(qemu.stdout.fileno(), False)
        said = b""
        try:
            while qemu.poll() is None:
                assert time.monotonic() < end, f"the guest did not end: {said[-2000:]!r}"
                said += qemu.stdout.read() or b""
                if key and KEY_MARK.encode() in said:
                    qemu.stdin.write(key)
                    qemu.stdin.flush()
                    key = b""
                time.sleep(0.1)
            said += qemu.stdout.read() or b""
        finally:
            qemu.kill()
    lines = [line for line in said.decode(errors="replace").splitlines() if line.startswith(MARK)]
    assert lines, f"the guest reported nothing: {said[-2000:]!r}"
    facts: Facts = json.loads(lines[-1].removeprefix(MARK))
    failures = {name: text for name, text in facts.items() if name.endswith(" failed")}
    assert not failures, "\n".join(f"{name}\n{text}" for name, text in failures.items())
    return facts


def start_uefi(disk: Path, nvram: Nvram) -> Facts:
    return start(
        [
            *("-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"),
            *("-drive", f"if=pflash,format=raw,file={nvram.file}"),
            *("-drive", f"if=none,id=disk,format=raw,readonly=on,file={disk}"),
            *("-device", "virtio-blk-pci,drive=disk"),
        ]
    )


@pytest.fixture(scope="module")
def nvram(tmp_path_factory: pytest.TempPathFactory) -> Nvram:
    copy = tmp_path_factory.mktemp("nvram") / "vars"
    shutil.copy(VARIABLES, copy)
    return Nvram(copy)


@pytest.fixture(scope="module")
def first(disk: Path, nvram: Nvram) -> Facts:
    """The first start: firmware without any entry of ours. It leaves them behind."""
    return start_uefi(disk, nvram)


def test_a_boot_by_the_fallback_loader_does_not_request_a_restore(first: Facts) -> None:
    assert first["kind"] == "uefi"
    assert first["restore_requested"] is True
    assert first["fallback"] is True


def test_the_firmware_takes_our_entries_and_they_need_no_second_write(first: Facts) -> None:
    written = first["written"]
    assert isinstance(written, list)
    assert [line.split("'")[1] for line in written if "'" in line] == [NORMAL, RESTORE, ERASE]
    assert first["written again"] == []


def test_another_reader_finds_them_in_the_variable_store(first: Facts, nvram: Nvram) -> None:
    order = struct.unpack("<H", nvram.read()["BootOrder"][:2])
    assert order == (nvram.entry(NORMAL),)


def test_efivarfs_keeps_the_contract(first: Facts) -> None:
    assert first["contract"] == {}
    assert first["rules"] == 6


def test_a_full_nvram_is_an_error_and_leaves_no_partial_variable(first: Facts) -> None:
    assert first["nvram full"] == "cannot write: the NVRAM is full"
    assert first["nvram left behind"] is False


def test_the_kernel_refuses_a_malformed_load_option(first: Facts) -> None:
    assert first["nvram malformed"] == "cannot write: the firmware refuses the value"


def test_setting_the_time_sets_both_clocks(first: Facts) -> None:
    for clock in ("system clock", "hardware clock"):
        ahead = first[clock]
        assert isinstance(ahead, int)
        assert 0 <= ahead < 30


def test_the_kernel_log_takes_more_lines_than_its_limit(first: Facts) -> None:
    assert first["kernel log"] == 100
    assert first["kernel log priority"] == "28"


def test_passwords_are_hashed_in_the_initramfs(first: Facts) -> None:
    hashed = first["hash"]
    assert isinstance(hashed, str)
    assert hashed.startswith("$y$")
    script = "print crypt('secret', $ARGV[0])"
    done = subprocess.run(["perl", "-e", script, hashed], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == hashed


def test_the_normal_entry_passes_its_arguments(disk: Path, nvram: Nvram, first: Facts) -> None:
    assert first["written again"] == []
    facts = start_uefi(disk, nvram)
    assert facts["command_line"] == "quiet real_root=LABEL=PRIMARY PROVISION_KEY_WINDOW=2.5"
    assert (facts["real_root"], facts["key_window"]) == ("LABEL=PRIMARY", 2.5)
    assert facts["current"] == [nvram.entry(NORMAL)]
    assert facts["written"] == []


def test_the_restore_entry_requests_a_restore(disk: Path, nvram: Nvram, first: Facts) -> None:
    nvram.set("BootNext", struct.pack("<H", nvram.entry(RESTORE)))
    facts = start_uefi(disk, nvram)
    assert facts["restore_requested"] is True
    assert facts["fallback"] is False
    assert facts["erase"] == "NONE"


def test_the_erase_entry_asks_for_an_erase(disk: Path, nvram: Nvram, first: Facts) -> None:
    nvram.set("BootNext", struct.pack("<H", nvram.entry(ERASE)))
    facts = start_uefi(disk, nvram)
    assert facts["command_line"] == "DATA_ERASE=1"
    assert facts["erase"] == "REQUESTED"


def direct(kernel: Path, arguments: str) -> list[str]:
    return ["-kernel", str(kernel), "-append", f"{arguments} no_timer_check"]


def test_a_key_on_a_named_serial_console(kernel: Path) -> None:
    facts = start(direct(kernel, "quiet console=ttyS0 keytest"), key=b"x")
    assert facts["kind"] == "bios"
    assert facts["fallback"] is None
    assert (facts["eligible"], facts["present"], facts["key"]) == (["ttyS0"], True, True)


def test_a_person_may_be_at_a_display_with_a_keyboard(kernel: Path) -> None:
    facts = start([*direct(kernel, "quiet console=tty0"), "-device", "VGA"])
    assert (facts["active"], facts["eligible"], facts["present"]) == ("tty0", ["tty0"], True)


def test_no_operator_without_display(kernel: Path) -> None:
    facts = start(direct(kernel, "quiet"))
    assert (facts["eligible"], facts["present"]) == ([], False)
