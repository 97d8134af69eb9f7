"""Chooses the accelerator of QEMU: KVM if a probe guest executed under it, else TCG, which always works.

On some hosts /dev/kvm exists, but guests hang at full load or crash at instructions that KVM does not emulate. So the
probe is a whole start: firmware, kernel, and a user program that writes a word and powers off. Its result is cached.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.cpio import archive, device_node, folder, regular
from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.lab.argv import QEMU, Accelerator
from gprov.domain.errors import BadInput, Problem
from gprov.ports.process import Processes

PROBE_SECONDS = 60.0
PROBE_WORD = b"GPROV-PROBE executed\n"
PROBE_ARGUMENTS = ("console=ttyS0", "quiet", "rdinit=/probe")
_KVM = "/dev/kvm"
_OVERRIDE = "GPROV_ACCEL"
_KIND = "lab"


class AcceleratorChoice:
    """``probe`` runs a guest under KVM, with the deadline PROBE_SECONDS, and returns whether it executed."""

    def __init__(
        self,
        environment: Mapping[str, str],
        processes: Processes,
        cache: Cache,
        probe: Callable[[], bool],
        kvm: str = _KVM,
    ) -> None:
        self._environment = environment
        self._processes = processes
        self._cache = cache
        self._probe = probe
        self._kvm = kvm

    def choose(self) -> Accelerator:
        """Raises BadInput if GPROV_ACCEL names an unknown accelerator."""
        wanted = named_accelerator(self._environment)
        if wanted is not None:
            return wanted
        if not os.access(self._kvm, os.R_OK | os.W_OK):
            return Accelerator.TCG
        return Accelerator.KVM if self._kvm_executes() else Accelerator.TCG

    def _kvm_executes(self) -> bool:
        key = f"kvm-{self._host_key()}"
        known = self._cache.find(_KIND, key)
        if known is None:
            result = b"executes\n" if self._probe() else b"does not execute\n"
            known = self._cache.publish(_KIND, key, lambda path: write_file(path, result))
        return read_file(known) == b"executes\n"

    def _host_key(self) -> str:
        """Cache key of the probe's result: processor, host kernel, QEMU."""
        version = self._processes.run((QEMU, "--version")).output
        lines = read_file("/proc/cpuinfo").split(b"\n")
        model = next((line for line in lines if line.startswith(b"model name")), b"")
        return content_key(version, model, os.uname().release)


def probe_initramfs() -> bytes:
    """Return an archive with a console and ``/probe``, which writes PROBE_WORD to it and powers the machine off."""
    nodes = (folder("dev"), device_node("dev/console", "c", 5, 1), regular("probe", _program(), 0o755))
    return archive(nodes)


def named_accelerator(environment: Mapping[str, str]) -> Accelerator | None:
    """Return the accelerator that GPROV_ACCEL names, None if unset. Raises BadInput for an unknown name."""
    text = environment.get(_OVERRIDE, "")
    if not text:
        return None
    for accelerator in Accelerator:
        if text.lower() in (accelerator.value, accelerator.name.lower()):
            return accelerator
    names = " or ".join(accelerator.name.lower() for accelerator in Accelerator)
    raise BadInput(_OVERRIDE, [Problem("", f"must be {names}, is {text!r}")])


def _program() -> bytes:
    """A static x86-64 ELF program: write(1, word), tcdrain(1), reboot(power off), or else loop."""
    code = b"".join(
        (
            _system_call(1, 1, None, len(PROBE_WORD)),
            _system_call(16, 1, 0x5409, 1),  # ioctl TCSBRK: wait until the console has sent the word
            _system_call(169, 0xFEE1DEAD, 672274793, 0x4321FEDC),  # LINUX_REBOOT_CMD_POWER_OFF
            b"\xeb\xfe",  # jmp to itself
        )
    )
    base, headers = 0x400000, 64 + 56
    code = code.replace(_HERE, struct.pack("<I", base + headers + len(code)))
    size = headers + len(code) + len(PROBE_WORD)
    header = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 0, 0),  # 64 bit, little endian, version 1, System V
        *(2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0),  # executable, x86-64, one program header
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)  # load all, readable, executable
    return header + segment + code + PROBE_WORD


_HERE = b"WORD"  # placeholder of the address of PROBE_WORD


def _system_call(number: int, first: int, second: int | None, third: int) -> bytes:
    """mov edi, first; mov esi, second; mov edx, third; mov eax, number; syscall."""
    address = _HERE if second is None else struct.pack("<I", second)
    words = (b"\xbf" + struct.pack("<I", first), b"\xbe" + address, b"\xba" + struct.pack("<I", third))
    return b"".join(words) + b"\xb8" + struct.pack("<I", number) + b"\x0f\x05"
