"""Which steps and stash scripts have run, for the QA document."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.mfg.qa.record import CommandRecord, StepRecord


@dataclass
class StepLog:
    """``records``: of the steps that were begun, in order."""

    records: list[StepRecord] = field(default_factory=list)

    def begin(self, when: str, name: str) -> None:
        self.records.append(StepRecord(when, name))

    def ran(self, command: CommandRecord) -> None:
        """A command of the last step has ended."""
        last = self.records[-1]
        self.records[-1] = StepRecord(last.when, last.name, (*last.commands, command))
