"""Units as lists show them: the word, what is going on, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gprov.apps.server.pages.unit_queries import StoredUnit
from gprov.domain.factory.states import FAILED
from gprov.domain.factory.view.addresses import unit_path
from gprov.domain.factory.view.known_failures import Advice, advise
from gprov.domain.factory.view.unit_words import NEEDS_PERSON, Patience, Reported, UnitWord, sentence_of, word_of

# Colours that repeat the words; the names are classes of the style sheet.
TONES = {
    UnitWord.FAILED: "failed",
    UnitWord.ABORTED: "waiting",
    UnitWord.SILENT: "silent",
    UnitWord.PROVISIONED: "waiting",
    UnitWord.UNKNOWN: "unknown",
    UnitWord.WAITING: "waiting",
    UnitWord.RUNNING: "running",
    UnitWord.RESTORED: "ok",
    UnitWord.STARTED: "ok",
}
_SILENT_ACTION = "Look at the unit: power, network cable, display. It may still be at work."
_OVERDUE_ACTION = (
    "Start the unit and read its display. Its QA document is released only after another provisioning, with the first "
    "restore in time."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """``cause``: what the unit reported as the reason, "" if nothing is wrong; ``action``: what to do; ``doing``: last
    line of its log, of units at work. ``since_ns``: from when the word holds."""

    unit: StoredUnit
    path: str
    word: UnitWord
    tone: str
    sentence: str
    cause: str = ""
    advice: Advice | None = None
    action: str = ""
    doing: str = ""
    since_ns: int

    @property
    def needs_person(self) -> bool:
        return self.word in NEEDS_PERSON or bool(self.unit.concern)

    @property
    def news(self) -> str:
        """What is read out when the line appears."""
        return f"{self.unit.serial}: {self.word.value}{', to be looked at' if self.unit.concern else ''}"


def unit_line(unit: StoredUnit, now_ns: int, patience: Patience) -> UnitLine:
    advice = advise(unit.error) if unit.state in FAILED else None
    reported = Reported(
        state=unit.state,
        state_ns=unit.state_ns,
        last_seen_ns=unit.last_seen_ns,
        provisioning=unit.provisioning,
        aborted=advice is not None and advice.aborted,
    )
    word = word_of(reported, now_ns, patience)
    return UnitLine(
        unit=unit,
        path=unit_path("view", unit.serial),
        word=word,
        tone=TONES[word],
        sentence=sentence_of(reported, now_ns, patience),
        cause=unit.error,
        advice=advice,
        action=_action(word, advice),
        doing=unit.last_line if word in {UnitWord.RUNNING, UnitWord.SILENT} else "",
        since_ns=unit.last_seen_ns if word is UnitWord.SILENT else unit.state_ns,
    )


def unit_lines(units: Iterable[StoredUnit], now_ns: int, patience: Patience) -> Sequence[UnitLine]:
    return [unit_line(unit, now_ns, patience) for unit in units]


def _action(word: UnitWord, advice: Advice | None) -> str:
    if advice is not None:
        return advice.action
    if word is UnitWord.SILENT:
        return _SILENT_ACTION
    return _OVERDUE_ACTION if word is UnitWord.PROVISIONED else ""
