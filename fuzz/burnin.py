"""Targets: outputs of the programs of a burn-in, counters of drives, and templates of QA documents."""

from __future__ import annotations

import json

from fuzz.harness import Target, expect
from gprov.domain.formats.ata.smart import parse_smart_data, serialise_smart_data
from gprov.domain.formats.loads.fio import parse_fio
from gprov.domain.formats.loads.memtester import memory_failures
from gprov.domain.formats.loads.stress_ng import cpu_failures, cpu_rate
from gprov.domain.formats.nvme.health_log import HealthLog, parse_health_log, serialise_health_log
from gprov.domain.mfg.qa.kernel import kernel_text
from gprov.domain.mfg.qa.page import STANDARD_PAGE
from gprov.domain.mfg.qa.template import parse_template

_MEMTESTER = (
    b"got  16MB (16777216 bytes), trying mlock ...locked.\nLoop 1/1:\n"
    b"  Random Value : FAILURE: 0xff != 0xfe at offset 0x10.\n"
)
_STRESS = (
    b"stress-ng: metrc: [9] cpu                 658      1.01      0.38      0.00       653.76        1742.40\n"
    b"stress-ng: fail:  [9] cpu: gcd error detected\n"
)
_FIO = json.dumps({"jobs": [{"error": 0, "read": {"bw_bytes": 1000, "io_bytes": 2000}}]}).encode()


def fio_report(data: bytes) -> None:
    job = parse_fio(data, writes=False)
    expect(job.rate >= 0 and job.done >= 0 and job.error >= 0, "a negative number")


def tool_output(data: bytes) -> None:
    for found in (memory_failures(4, data, 1), cpu_failures(2, data)):
        expect(all(line.isprintable() and len(line) < 200 for line in found or ()), "a finding that is no line")
    expect(cpu_rate(data) >= 0, "a negative rate")


def drive_counters(data: bytes) -> None:
    """The first byte selects the format."""
    if data[:1] == b"A":
        expect(all(0 <= count < 1 << 32 for count in parse_smart_data(data[1:]).values()), "an impossible count")
    else:
        parse_health_log(data[1:])


def qa_template(data: bytes) -> None:
    template = parse_template("template", data)
    expect(len(template.parts) % 2 == 1, "a placeholder without text around it")


def kernel_version(data: bytes) -> None:
    expect(len(kernel_text(data)) < 120, "a long version")


TARGETS: tuple[Target, ...] = (
    Target("fio-report", "formats.loads.fio", fio_report, lambda: [_FIO, b"fio: note\n" + _FIO], (b"jobs", b"error")),
    Target("tool-output", "formats.loads", tool_output, lambda: [_MEMTESTER, _STRESS], (b"FAILURE: ", b"metrc: [1] ")),
    Target(
        "drive-counters",
        "formats.ata.smart, formats.nvme.health_log",
        drive_counters,
        lambda: [
            b"A" + serialise_smart_data({5: 1, 197: 2}),
            b"N" + serialise_health_log(HealthLog(warning_bits=1, temperature=40, media_errors=2)),
        ],
    ),
    Target(
        "qa-template",
        "mfg.qa.template",
        qa_template,
        lambda: [STANDARD_PAGE.encode(), b"<p>{{serial}}</p>"],
        (b"{{", b"}}", b"<", b'"', b"<!--", b"<script>", b"{{serial}}"),
    ),
    Target("kernel-version", "mfg.qa.kernel", kernel_version, lambda: [b"Linux version 6.1.0 (a@b) (gcc) #42 SMP"]),
)
