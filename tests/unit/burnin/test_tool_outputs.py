"""Outputs of fio, memtester and stress-ng as they print them, damaged, and made up. The real tools: tests/integ."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.loads.fio import FioJob, parse_fio
from gprov.domain.formats.loads.memtester import memory_failures
from gprov.domain.formats.loads.stress_ng import cpu_failures, cpu_rate

STRESS = b"""stress-ng: info:  [25684] setting to a 1 second run per stressor
stress-ng: metrc: [25684] stressor       bogo ops real time  usr time  sys time   bogo ops/s     bogo ops/s
stress-ng: metrc: [25684]                           (secs)    (secs)    (secs)   (real time) (usr+sys time)
stress-ng: metrc: [25684] cpu                 658      1.01      0.38      0.00       653.76        1742.40
stress-ng: info:  [25684] successful run completed in 1.02s
"""
LOCKED = b"want 16MB (16777216 bytes)\ngot  16MB (16777216 bytes), trying mlock ...locked.\nLoop 1/1:\n"
FAIL = b"stress-ng: fail:  [7] cpu: gcd error detected, failed modulo or assignment operations\n"


def fio(error: int = 0, rate: int = 12, done: int = 99, side: str = "read") -> bytes:
    return json.dumps({"jobs": [{"error": error, side: {"bw_bytes": rate, "io_bytes": done}}]}).encode()


def test_fio() -> None:
    assert parse_fio(b"fio: warning\n" + fio() + b"\nfio: file hash not empty on exit\n", writes=False) == FioJob(
        error=0, rate=12, done=99
    )
    assert parse_fio(fio(5, side="write"), writes=True) == FioJob(error=5, rate=12, done=99)


@pytest.mark.parametrize(
    "output",
    [b"", b"fio: killed", b"{", b'{"jobs": []}', b'{"jobs": [{}]}', fio(side="write"), b'{"jobs": [{}, {}]}', b"{}"],
)
def test_reports_of_fio_that_have_no_result(output: bytes) -> None:
    with pytest.raises(BadInput):
        parse_fio(output, writes=False)


@given(st.binary() | st.integers(0, 200).map(lambda end: fio()[:end]))
def test_any_output_of_fio(output: bytes) -> None:
    try:
        job = parse_fio(output, writes=False)
    except BadInput:
        return
    assert job == FioJob(error=0, rate=12, done=99) or b"jobs" in output


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (0, b"ok\n\nDone.\n", ()),
        (1, b"failed to allocate memory", None),
        # A wrong word is one whatever happened to the program afterwards.
        (1 | 4, b"FAILURE: 0x1 != 0x2 at offset 0x3.\n", ("FAILURE: 0x1 != 0x2 at offset 0x3",)),
        (-9, b"FAILURE: 0x1 != 0x2 at offset 0x3.\n", ("FAILURE: 0x1 != 0x2 at offset 0x3",)),
        (
            4,
            b"Random Value  : \b\bFAILURE: 0xff != 0xfe at offset 0x00000010.\nx",
            ("FAILURE: 0xff != 0xfe at offset 0x00000010",),
        ),
        (4, b"", ("a pattern was not read back",)),
        (
            2,
            b"FAILURE: possible bad address line at offset 0x1.\n",
            ("an address line does not work", "FAILURE: possible bad address line at offset 0x1"),
        ),
        (137, b"", None),
        (-9, b"", None),
    ],
)
def test_memtester(status: int, output: bytes, expected: tuple[str, ...] | None) -> None:
    assert memory_failures(status, LOCKED + output, 16 << 20) == expected


@pytest.mark.parametrize(
    "output",
    [
        b"got  15MB (15728640 bytes), trying mlock ...locked.\n",
        b"got  16MB (16777216 bytes), trying mlock ...too many pages, reducing...\n",
        b"got  16MB (16777216 bytes), trying mlock ...insufficient permission.\nTrying again, unlocked:\n",
        b"",
    ],
)
def test_memory_that_was_not_all_tested_has_no_result(output: bytes) -> None:
    assert memory_failures(0, output, 16 << 20) is None


def test_stress_ng() -> None:
    assert cpu_failures(0, STRESS) == ()
    assert cpu_rate(STRESS) == 653.76
    assert cpu_failures(2, STRESS + FAIL) == ("cpu: gcd error detected, failed modulo or assignment operations",)
    assert cpu_failures(0, FAIL) != ()
    assert cpu_failures(2, STRESS) is None
    assert cpu_failures(3, STRESS + FAIL) is None
    assert cpu_failures(-9, b"") is None
    assert cpu_rate(b"") == 0.0


@given(st.integers(-64, 255), st.binary() | st.just(FAIL * 100))
def test_findings_are_printable_and_few(status: int, output: bytes) -> None:
    for found in (memory_failures(status, LOCKED + output, 1), cpu_failures(status, output)):
        for line in found or ():
            assert line.isprintable()
        assert found is None or len(found) <= 21
    assert cpu_rate(output) >= 0
