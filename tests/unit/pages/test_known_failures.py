"""Advice on failures, for the errors that programs of a unit raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.unit.reporting.unexpected import UnexpectedError
from gprov.domain.errors import (
    BadInput,
    BurnInAborted,
    BurnInFailed,
    DeadlineExceeded,
    DeviceFault,
    DeviceMissing,
    GprovError,
    HardwareMismatch,
    IntegrityFault,
    NetworkFault,
    Problem,
    RefusedByPolicy,
    ToolFailed,
    ToolMissing,
)
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.view.known_failures import NO_ERROR, OTHER, advise
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.burnin.report import BurnInReport
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import identify

STARTS = {Refusal.START_MISSING, Refusal.START_UNKNOWN, Refusal.START_EXPIRED, Refusal.START_USED}


def aborted() -> BurnInReport:
    return BurnInReport(started_ns=0, seconds=12.0, tests=("cpu",), reason="by a person at the unit")


def unidentified() -> GprovError:
    with pytest.raises(HardwareMismatch) as caught:
        identify(SmbiosTable(()), default_table(), "")
    return caught.value


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (HardwareMismatch("SN-1 is not as specified for QEMU (2 difference(s))"), "Hardware is not as specified"),
        (HardwareMismatch("no specification for QEMU; there are: none"), "No specification"),
        (unidentified(), "Not identified"),
        (
            HardwareMismatch("Q: serial number (system-serial-number) is a placeholder: 'None' is one. Set a real one"),
            "Not identified",
        ),
        (BurnInFailed("failed: memory errors: measured 1, limit 0", []), "Burn-in failed"),
        (BurnInAborted(aborted().describe()), "Burn-in aborted"),
        (RefusedByPolicy("the hardware is as specified: going no further, as asked"), "Ended as asked"),
        *(
            (FactoryRefused("http://s/", 403, f"SN-1: {refusal.sentence}"), "Start refused")
            for refusal in Refusal if refusal in STARTS
        ),
        *(
            (FactoryRefused("http://s/", 403, f"SN-1: {refusal.sentence}"), "Passwords refused")
            for refusal in Refusal if refusal not in STARTS
        ),
        (IntegrityFault("http://s/files/x.upd", "SHA-256 is 0a1b, not 0c2d (12 bytes)"), "Download is damaged"),
        (
            IntegrityFault("/mnt/x", "the medium gives back other bytes than were written (5 bytes)"),
            "RECOVERY medium is defective",
        ),
        (IntegrityFault("/mnt/RECOVERY/Image", "no good image: the folder holds none"), "No good image"),
        (NetworkFault("http://10.0.0.1/x", "status 404"), "Network"),
        (NetworkFault("no network interface", "none appeared within 30 s"), "Network"),
        (ToolMissing("ipmitool"), "Program is missing"),
        (DeviceFault("BMC", "its firmware is being updated or still starts; start provisioning again later"),
         "Management controller"),
        (BadInput("kernel arguments", [Problem("mfgurl", "is missing")]), "Factory data has mistakes"),
        (BadInput("http://s/manufData.json", [Problem("$.Files", "is missing")]), "Factory data has mistakes"),
        (HardwareMismatch("the disks do not settle"), "Disks"),
        (DeviceMissing("RECOVERY", "no volume has this label after 10 s"), "Disks"),
        (DeadlineExceeded("waiting for disks", 30), "Time limit"),
        (ToolFailed("setup.sh", "exit status 3, but it MustSucceed"), "Step or tool failed"),
        (UnexpectedError(KeyError("x")), "Defect in gprov"),
    ],
)  # fmt: skip
def test_the_errors_that_units_report_are_known(error: GprovError, label: str) -> None:
    assert advise(str(error)).label == label


def test_only_what_says_nothing_about_the_unit_is_aborted() -> None:
    assert advise(str(BurnInAborted(aborted().describe()))).aborted
    assert advise(
        str(RefusedByPolicy("identified with the table of ApplianceJsonUrl: going no further, as asked"))
    ).aborted
    assert not advise(str(BurnInFailed("failed: memory errors", []))).aborted


@given(st.text())
def test_every_text_gets_advice(text: str) -> None:
    advice = advise(text)
    assert advice.action
    assert (advice is NO_ERROR) == (not text.strip())


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert advise("something new") is OTHER
