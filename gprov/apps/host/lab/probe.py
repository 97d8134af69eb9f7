"""Tests whether guests execute with an accelerator, by a whole start within a deadline."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable

from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.lab.accel import PROBE_ARGUMENTS, PROBE_SECONDS, PROBE_WORD, probe_initramfs
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.machine import DirectKernel, Machine, Smbios
from gprov.apps.host.lab.runner import FIRMWARE_VARIABLES, Ending, ProgressCallback, Runner
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import GprovError
from gprov.ports.process import Processes


class GuestProbe:
    """``kernel``: returns the path of a kernel built by gprov; called only for a probe."""

    def __init__(self, processes: Processes, kernel: Callable[[], str], report: ProgressCallback) -> None:
        self._processes = processes
        self._kernel = kernel
        self._report = report

    def executes(self, accelerator: Accelerator) -> bool:
        runner = Runner(self._processes, lambda: accelerator)
        kernel = self._kernel()
        self._report(f"testing whether guests execute with {accelerator.value} (at most {PROBE_SECONDS:.0f} s)")
        with tempfile.TemporaryDirectory(prefix="gprov-probe-") as folder:
            try:
                found = _run(runner, kernel, folder)
            except GprovError as error:
                self._report(f"{accelerator.value}: {error}")
                found = False
        verdict = "execute" if found else "do not execute"
        self._report(f"guests {verdict} with {accelerator.value}{'' if found else ': their processors are emulated'}")
        return found


def _run(runner: Runner, kernel: str, folder: str) -> bool:
    initramfs, variables, log = (os.path.join(folder, name) for name in ("initramfs", "variables", "serial.log"))
    write_file(initramfs, probe_initramfs())
    shutil.copyfile(FIRMWARE_VARIABLES, variables)
    machine = Machine(
        firmware=FirmwareKind.UEFI,
        variables=variables,
        smbios=Smbios("GPROV_QEMU", "probe", "0"),
        kernel=DirectKernel(kernel, PROBE_ARGUMENTS, initramfs),
        reports=False,
    )
    with runner.start(machine, log) as live:
        ending = live.wait_end(PROBE_SECONDS)
    return ending is Ending.POWER_OFF and PROBE_WORD.strip() in read_file(log)
