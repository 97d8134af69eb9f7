"""Debian's own kernel on the lab's processor: modules that use vector instructions start.

They look for one feature of the processor and use instructions of another, which every processor that was made has too.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.cpio import archive, device_node, folder, regular
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.machine import DirectKernel, Machine, Smbios
from gprov.apps.host.lab.runner import FIRMWARE_VARIABLES, Ending, Runner
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

PROCESSES = SystemProcesses()
PACKAGE = "linux-image-amd64"
# In the order of their dependencies.
MODULES = ("crct10dif_common.ko", "crc32-pclmul.ko", "crc32c-intel.ko", "crct10dif-pclmul.ko")
BUSYBOX = Path("/usr/bin/busybox")
DONE = "all modules were inserted"
INIT = f"""#!/busybox sh
set -e
for module in {" ".join(MODULES)}; do /busybox insmod /$module; done
/busybox mkdir /proc
/busybox mount -t proc proc /proc
/busybox grep -A3 -E 'name +: (crc32|crc32c|crct10dif)$' /proc/crypto
/busybox grep -q crc32-pclmul /proc/crypto
echo {DONE}
/busybox poweroff -f
"""


@dataclass(frozen=True)
class DebianKernel:
    kernel: Path
    initramfs: Path


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianKernel]:
    """The kernel of Debian's package, and an initramfs that inserts some of its modules and powers off."""
    work = tmp_path_factory.mktemp("debian-kernel")
    depends = PROCESSES.run(("apt-cache", "depends", PACKAGE)).output.decode().split()
    package = next((word for word in depends if word.startswith("linux-image-") and word != PACKAGE), None)
    if package is None or PROCESSES.run(("apt-get", "download", package), cwd=str(work), check=False).status:
        pytest.skip(f"no archive offers {PACKAGE}")
    (file,) = work.glob("*.deb")
    tar = work / "content.tar"
    tar.write_bytes(PROCESSES.run(("dpkg-deb", "--fsys-tarfile", str(file))).output)
    nodes = [folder("dev"), device_node("dev/console", "c", 5, 1), regular("init", INIT.encode(), 0o755)]
    nodes.append(regular("busybox", BUSYBOX.read_bytes(), 0o755))
    kernel = work / "vmlinuz"
    with tarfile.open(tar) as content:
        for member in content:
            name = Path(member.name).name
            source = content.extractfile(member) if member.isreg() else None
            if source is not None and name in MODULES:
                nodes.append(regular(name, source.read()))
            elif source is not None and name.startswith("vmlinuz-"):
                kernel.write_bytes(source.read())
    (work / "initramfs").write_bytes(archive(nodes))
    yield DebianKernel(kernel, work / "initramfs")
    shutil.rmtree(work)


def test_modules_with_vector_instructions_start(debian: DebianKernel, tmp_path: Path) -> None:
    variables, log = tmp_path / "variables", tmp_path / "serial.log"
    shutil.copyfile(FIRMWARE_VARIABLES, variables)
    machine = Machine(
        firmware=FirmwareKind.UEFI,
        variables=str(variables),
        smbios=Smbios("GPROV_QEMU", "mfg_test", "LAB0001"),
        kernel=DirectKernel(str(debian.kernel), ("console=ttyS0", "panic=-1", "oops=panic"), str(debian.initramfs)),
        reports=False,
    )
    with Runner(PROCESSES, lambda: Accelerator.TCG).start(machine, str(log)) as live:
        ending = live.wait_end(300.0)
    text = log.read_text(errors="replace")
    assert DONE in text, text[-4000:]
    assert "invalid opcode" not in text
    assert ending is Ending.POWER_OFF
