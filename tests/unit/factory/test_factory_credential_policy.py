"""When passwords are handed out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.events import ProcessState as S
from gprov.domain.factory.credential_policy import Inquiry, refusal
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.states import UnitStatus, advance

WINDOW = 100
ASKED = Inquiry(now_ns=1050, since_ns=1000, same_session=True)
STARTED = UnitStatus(S.MFG_STARTED, S.MFG_STARTED)


@pytest.mark.parametrize(
    ("status", "inquiry", "why"),
    [
        (STARTED, ASKED, None),
        (STARTED, replace(ASKED, now_ns=1100), None),
        (STARTED, replace(ASKED, now_ns=1101), Refusal.WINDOW_OVER),
        (STARTED, replace(ASKED, now_ns=990), None),  # the server's clock was set back a little
        (STARTED, replace(ASKED, same_session=False), Refusal.OTHER_SESSION),
        (UnitStatus(), ASKED, Refusal.NOT_STARTED),
        (UnitStatus(S.MFG_FAILED, S.MFG_FAILED), ASKED, Refusal.NOT_STARTED),
        (UnitStatus(S.FR_STARTED, S.MFG_STARTED), ASKED, Refusal.NOT_STARTED),
        (replace(STARTED, sealed=True), ASKED, Refusal.SEALED),
        (replace(STARTED, sealed=True, open_until_ns=1050), ASKED, None),
        (replace(STARTED, sealed=True, open_until_ns=1049), ASKED, Refusal.SEALED),
        (UnitStatus(S.MFG_SUCCEEDED, S.MFG_SUCCEEDED, sealed=True), ASKED, Refusal.SEALED),
    ],
)
def test_refusal(status: UnitStatus, inquiry: Inquiry, why: Refusal | None) -> None:
    assert refusal(status, inquiry, WINDOW) is why


@settings(max_examples=200)
@given(st.lists(st.sampled_from(S), max_size=10), st.integers(0, 300), st.booleans())
def test_no_report_gets_passwords_after_a_success(later: list[S], waited: int, same_session: bool) -> None:
    status = advance(advance(UnitStatus(), S.MFG_STARTED), S.MFG_SUCCEEDED)
    for state in later:
        status = advance(status, state)
        asked = Inquiry(1000 + waited, 1000, same_session)
        assert refusal(status, asked, WINDOW) is Refusal.SEALED
