"""What a display shows while the system of the simulated machine starts."""

from __future__ import annotations

from typing_extensions import override

from gprov.domain.boot.start_texts import StartTexts
from gprov.ports.start_display import StartDisplay


class FakeStartDisplay(StartDisplay):
    """``shown``: the texts of all starts so far."""

    def __init__(self) -> None:
        self.shown: list[StartTexts] = []

    @override
    def keep_showing(self, texts: StartTexts) -> None:
        self.shown.append(texts)
