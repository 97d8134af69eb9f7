"""Alarms of the simulated machine."""

from __future__ import annotations

from typing_extensions import override

from gprov.ports.attention import Attention


class FakeAttention(Attention):
    """``alarms``: how many there were."""

    def __init__(self) -> None:
        self.alarms = 0

    @override
    def alarm(self) -> None:
        self.alarms += 1
