"""NVMe structures and commands, compared with the kernel's header and with nvme-cli.

nvme-cli runs with a replaced ioctl (nvme/shim.c): it decodes pages that gprov built, and its commands are recorded. No
device is touched: its "device" is /dev/null.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.linux.ioctl.nvme import ADMIN_COMMAND, PassthruCommand
from gprov.domain.erase.drive_io import NvmeCommand
from gprov.domain.erase.nvme.requests import format_namespace, identify, sanitize, sanitize_log
from gprov.domain.formats.nvme.commands import (
    FormatParameters,
    Identify,
    SanitizeAction,
    SanitizeParameters,
    SecureErase,
)
from gprov.domain.formats.nvme.controller import Controller, serialise_controller
from gprov.domain.formats.nvme.namespace import (
    LbaFormat,
    Namespace,
    serialise_namespace,
    serialise_namespace_list,
)
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog, SanitizeState, serialise_sanitize_log

SOURCES = Path(__file__).parent / "nvme"
CONTROLLER = Controller(
    serial="SN 1",
    model="MODEL 2",
    firmware="FW3",
    oacs=0x1234,
    fna=12,
    sanicap=0x20000003,
    cmic=2,
    rpmbs=0x01020304,
    namespaces=77,
    unallocated=123456789,
)
NAMESPACE = Namespace(
    blocks=1000,
    capacity=900,
    used=800,
    flbas=0x11,
    dps=9,
    fpi=0x9E,
    dlfeat=9,
    nsattr=1,
    formats=(LbaFormat(0, 12, 1), LbaFormat(8, 9, 2), LbaFormat(16, 12)),
)
LOG = SanitizeLog(
    state=SanitizeState.IN_PROGRESS,
    sprog=0x1234,
    passes=3,
    data_erased=True,
    scdw10=0x204,
    estimates=(1, 2, 3, 4, 5, 6),
)


class NvmeCli:
    def __init__(self, folder: Path) -> None:
        self.record = folder / "record"
        shim = folder / "shim.so"
        subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, SOURCES / "shim.c"], check=True)
        pages = {
            "06-00": serialise_namespace(NAMESPACE),
            "06-01": serialise_controller(CONTROLLER),
            "06-02": serialise_namespace_list([1, 5, 9]),
            "02-81": serialise_sanitize_log(LOG),
        }
        for name, page in pages.items():
            (folder / name).write_bytes(page)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(shim),
            "NVME_RECORD": str(self.record),
            "NVME_PAGES": str(folder),
        }

    def run(self, *words: str) -> str:
        self.record.write_text("")
        command = ["nvme", words[0], "/dev/null", *words[1:]]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def decoded(self, *words: str) -> dict[str, object]:
        value = json.loads(self.run(*words, "-o", "json"))
        assert isinstance(value, dict)
        return value

    @property
    def sent(self) -> list[tuple[int, ...]]:
        """Request, opcode, namespace, dwords 10 and 11, length of the data of each command."""
        return [tuple(int(word, 16) for word in line.split()) for line in self.record.read_text().splitlines()]


@pytest.fixture(scope="module")
def nvme(tmp_path_factory: pytest.TempPathFactory) -> NvmeCli:
    return NvmeCli(tmp_path_factory.mktemp("nvme"))


def as_sent(command: NvmeCommand) -> tuple[int, ...]:
    return (ADMIN_COMMAND, command.opcode, command.namespace, *command.dwords[:2], command.data_in)


def test_the_layout_is_that_of_the_kernel(tmp_path: Path) -> None:
    subprocess.run(["gcc", "-Wall", "-o", tmp_path / "layout", SOURCES / "layout.c"], check=True)
    shown = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout
    request, *fields = [(name, int(at), int(size)) for name, at, size in map(str.split, shown.splitlines())]
    assert request == ("request", ADMIN_COMMAND, ctypes.sizeof(PassthruCommand))
    ours = [getattr(PassthruCommand, name) for name, _ in PassthruCommand._fields_]
    assert fields == [
        (name, field.offset, field.size) for (name, _), field in zip(PassthruCommand._fields_, ours, strict=True)
    ]


def test_nvme_cli_decodes_the_controller(nvme: NvmeCli) -> None:
    seen = nvme.decoded("id-ctrl")
    assert {name: str(seen[name]).strip() for name in ("sn", "mn", "fr")} == {
        "sn": "SN 1",
        "mn": "MODEL 2",
        "fr": "FW3",
    }
    numbers = ("oacs", "fna", "sanicap", "cmic", "rpmbs", "nn", "unvmcap")
    assert [int(str(seen[name])) for name in numbers] == [0x1234, 12, 0x20000003, 2, 0x01020304, 77, 123456789]
    assert as_sent(identify(Identify.CONTROLLER)) in nvme.sent


def test_nvme_cli_decodes_the_namespace(nvme: NvmeCli) -> None:
    seen = nvme.decoded("id-ns", "-n", "1")
    numbers = ("nsze", "ncap", "nuse", "nlbaf", "flbas", "dps", "fpi", "dlfeat", "nsattr")
    assert [seen[name] for name in numbers] == [1000, 900, 800, 2, 0x11, 9, 0x9E, 9, 1]
    formats = seen["lbafs"]
    assert isinstance(formats, list)
    assert [(one["ms"], one["ds"], one["rp"]) for one in formats] == [(0, 12, 1), (8, 9, 2), (16, 12, 0)]
    assert as_sent(identify(Identify.NAMESPACE, 1)) in nvme.sent


def test_nvme_cli_decodes_the_namespace_list(nvme: NvmeCli) -> None:
    listed = nvme.run("list-ns")
    assert [int(line.split(":")[-1], 16) for line in listed.splitlines()] == [1, 5, 9]
    assert nvme.sent[-1][:4] == as_sent(identify(Identify.ACTIVE_NAMESPACES))[:4]


def test_nvme_cli_decodes_the_sanitize_log(nvme: NvmeCli) -> None:
    (seen,) = nvme.decoded("sanitize-log").values()
    assert isinstance(seen, dict)
    assert (seen["sprog"], seen["cdw10_info"]) == (0x1234, 0x204)
    status = seen["sstat"]
    assert status["global_erased"] == 1
    assert status["no_cmplted_passes"] == 3
    assert [value for name, value in seen.items() if name.startswith("time_")] == [1, 2, 3, 4, 5, 6]
    assert nvme.sent[-1] == as_sent(sanitize_log())


@pytest.mark.parametrize("erase", SecureErase)
def test_nvme_cli_sends_the_same_format(nvme: NvmeCli, erase: SecureErase) -> None:
    parameters = FormatParameters(
        erase=erase, format_index=2, metadata_extended=True, protection=3, protection_first=True
    )
    nvme.run("format", "-n", "1", "-l", "2", "-m", "1", "-i", "3", "-p", "1", "-s", str(erase.value), "--force")
    assert as_sent(format_namespace(1, parameters)) in nvme.sent


@pytest.mark.parametrize("action", [SanitizeAction.BLOCK_ERASE, SanitizeAction.CRYPTO_ERASE])
@pytest.mark.parametrize("flags", [False, True])
def test_nvme_cli_sends_the_same_sanitize(nvme: NvmeCli, action: SanitizeAction, flags: bool) -> None:
    nvme.run("sanitize", "-a", str(action.value), *(("--ause", "--no-dealloc") if flags else ()))
    assert as_sent(sanitize(SanitizeParameters(action, flags, flags))) in nvme.sent


def test_nvme_cli_sends_the_same_exit_of_the_failure_mode(nvme: NvmeCli) -> None:
    nvme.run("sanitize", "-a", "1")
    assert as_sent(sanitize(SanitizeParameters(SanitizeAction.EXIT_FAILURE_MODE))) in nvme.sent
