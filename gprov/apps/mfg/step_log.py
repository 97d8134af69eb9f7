"""Which steps and stash scripts have run, and which passwords were set, for the QA document."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.mfg.qa.record import CommandRecord, Pair, StepRecord


@dataclass
class StepLog:
    """``records``: of the steps that were begun, in order. ``passwords``: whose password, and what was done with it."""

    records: list[StepRecord] = field(default_factory=list)
    passwords: list[Pair] = field(default_factory=list)

    def begin(self, when: str, name: str) -> None:
        self.records.append(StepRecord(when, name))

    def password(self, whose: str, done: str) -> None:
        self.passwords.append((whose, done))

    def ran(self, command: CommandRecord) -> None:
        """A command of the last step has ended."""
        last = self.records[-1]
        self.records[-1] = StepRecord(last.when, last.name, (*last.commands, command))
