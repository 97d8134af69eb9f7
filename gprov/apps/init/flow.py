"""Every boot: collect facts, decide, act, until the unit became its system, was restored, or stands and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn, assert_never

from gprov.apps.init.ports import InitPorts
from gprov.apps.init.search import RootFinder
from gprov.apps.init.watch import Watch
from gprov.apps.unit.boot.boot_count import count_boot, reports_boots
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.hold import hold, spoken
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS, BootArguments
from gprov.domain.boot.boots import WORTH_TELLING
from gprov.domain.boot.decision import decide
from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    Erase,
    GiveUp,
    KeepWaiting,
    OpenMenu,
    OpenShell,
    Restore,
    RestoreReason,
    ShowEraseFailure,
    StartArray,
    SurveyTargets,
    SwitchRoot,
    UseVolume,
)
from gprov.domain.boot.facts import BootFacts, CheckOutcome, Flag, Found, Mounted
from gprov.domain.branding import Branding
from gprov.domain.disk.model import CheckVerdict, FileSystemKind, Volume
from gprov.domain.disk.rootspec import parse_root
from gprov.domain.errors import DeviceFault, GprovError, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.mountpoints import Places


class Boot:
    """One start of the normal kernel."""

    def __init__(
        self, ports: InitPorts, *, bus: EventBus, branding: Branding, places: Places, arguments: BootArguments
    ) -> None:
        spec, note = parse_root(arguments.real_root, branding.primary_label) if arguments.real_root else (None, "")
        self._ports = ports
        self._bus = bus
        self._branding = branding
        self._places = places
        fallback = spec if spec is not None else parse_root(f"LABEL={branding.primary_label}").spec
        self._finder = RootFinder(ports.search, fallback, places.root, branding, bus)
        self._started = ports.clock.monotonic()
        self._facts = BootFacts(
            arguments,
            started_by_fallback=arguments.restore_requested and self._by_fallback(arguments),
        )
        self._watch = Watch(ports.search.blocks, ports.operator, arguments.key_window, bus)
        for line in (*arguments.notes, *([note] if note else [])):
            bus.warning(line)

    def run(self) -> NoReturn:
        """Ends in the system on PRIMARY, in a reboot or in power-off; never returns."""
        try:
            while True:
                self._facts = self._look()
                self._act(decide(self._facts))
        except Exception as exc:  # noqa: BLE001 - also what nobody foresaw must be shown, counted and tried again rarely
            from gprov.apps.unit.reporting.unexpected import Unforeseen

            error = exc if isinstance(exc, GprovError) else Unforeseen(exc)
            self._bus.error(error)
            self._give_up(GiveUp(str(error)))

    def _look(self) -> BootFacts:
        elapsed = self._ports.clock.monotonic() - self._started
        attended = self._watch.attended(elapsed, self._facts.operator_present)
        facts = replace(self._facts, elapsed=elapsed, operator_present=attended)
        if facts.arguments.restore_requested and not facts.started_by_fallback:
            return facts
        if not self._watch.search_due(elapsed):
            return facts
        return replace(facts, root=self._finder.search(elapsed))

    def _act(self, decision: Decision) -> None:
        match decision:
            case KeepWaiting():
                self._facts = self._watch.wait(decision, self._facts)
            case SurveyTargets():
                self._survey()
            case CheckFileSystem():
                self._check(decision)
            case UseVolume() | StartArray():
                self._take(decision)
            case SwitchRoot():
                self._switch_root(decision.volume)
            case Restore():
                self._restore(decision)
            case OpenMenu():
                self._menu()
            case GiveUp():
                self._give_up(decision)
            case Erase() | ShowEraseFailure() | OpenShell():
                name = type(decision).__name__
                refusal = RefusedByPolicy(f"{name} is not supported by this version; nothing was done")
                self._bus.error(refusal)
                self._hold(refusal)
            case _:
                assert_never(decision)

    def _take(self, decision: UseVolume | StartArray) -> None:
        match decision:
            case UseVolume():
                self._bus.warning(f"root is {decision.volume.node}: {decision.reason}")
                self._finder.use(decision.volume)
            case StartArray():
                self._bus.warning(f"going on without the members that are missing: {decision.reason}")
                self._finder.start_array(decision.array, self._facts.elapsed)
                self._facts = replace(self._facts, targets=None)

    def _survey(self) -> None:
        # Before the survey, so that whatever makes it outdated is noticed.
        self._watch.subscribe()
        # A root that is mounted would be taken for a disk in use.
        self._finder.release()
        survey = self._ports.survey().look()
        self._facts = replace(self._facts, targets=survey)
        self._bus.log(survey.describe())

    def _check(self, decision: CheckFileSystem) -> None:
        self._bus.warning(f"checking {decision.volume.node}: {decision.reason}")
        self._finder.release()
        kind = decision.volume.contents.kind
        try:
            verdict = self._ports.filesystems.check(
                decision.volume.node, FileSystemKind(kind) if kind else FileSystemKind.EXT4
            )
            beyond = verdict is CheckVerdict.BEYOND_REPAIR
            outcome = CheckOutcome.BEYOND_REPAIR if beyond else CheckOutcome.GOOD
        except GprovError as error:
            self._bus.error(error)
            outcome = CheckOutcome.FAILED
        self._bus.log(f"{decision.volume.node} {outcome.value}")
        self._finder.retry()
        checks = {**self._facts.checks, decision.volume.mark: outcome}
        self._facts = replace(self._facts, checks=checks, targets=None)

    def _switch_root(self, volume: Volume) -> None:
        self._bus.log(f"starting the system on {volume.node}")
        array = self._finder.started_array(volume)
        if array is not None:
            from gprov.apps.init.arrays import report_array

            report_array(array, f"{self._places.root}{self._branding.config_folder}", self._ports, self._bus)
        self._count_boot(volume)
        self._bus.milestone("handover")
        self._watch.close()
        try:
            self._ports.search.mounts.switch_root(self._places.root, self._branding.real_init)
        except DeviceFault as fault:
            self._bus.error(fault)
            root = Found(volume, Mounted(Flag.PRESENT, str(fault)))
            self._act(decide(replace(self._facts, root=root)))

    def _count_boot(self, volume: Volume) -> None:
        root, folder = self._places.root, self._branding.config_folder
        files = self._ports.search.files
        before = count_boot(files, self._ports.search.mounts, volume, root, folder, self._bus)
        if before.unconfirmed and reports_boots(files, root):
            text = f"the system was started {before.unconfirmed} times in a row without reporting that it is up"
            if before.unconfirmed < WORTH_TELLING:
                self._bus.log(text)
            else:
                self._bus.warning(text)
                self._ports.operator.show(text)

    def _restore(self, decision: Restore) -> NoReturn:
        self._bus.log(f"factory restore: {decision.reason.value} ({decision.evidence})")
        self._finder.release()
        restore = self._ports.restore()
        try:
            restore.run(decision.image, by_person=decision.reason is RestoreReason.REQUESTED_BY_PERSON)
        except GprovError as error:
            from gprov.domain.boot.budget import UNCOUNTED_SECONDS

            self._hold(error, 0.0 if restore.counted else UNCOUNTED_SECONDS)
        self._bus.close()
        self._ports.power.reboot()

    def _menu(self) -> None:
        from gprov.apps.init.menu import run_menu
        from gprov.domain.boot.menu import PowerOff, ResumeBoot

        outcome = run_menu(self._ports.operator)
        match outcome:
            case ResumeBoot():
                self._watch.no_more_keys()
                self._facts = replace(self._facts, key_pressed=False, operator_present=False)
            case PowerOff():
                self._finder.release()
                self._bus.close()
                self._ports.power.power_off()
            case Restore() | Erase():
                self._act(outcome)
            case _:
                assert_never(outcome)

    def _give_up(self, decision: GiveUp) -> NoReturn:
        self._bus.error(decision.reason)
        self._bus.state(ProcessState.INIT_FAILED)
        self._ports.operator.show(decision.reason)
        self._finder.release()
        self._leave(self._ports.in_vain().given_up(decision.reason))

    def _hold(self, error: GprovError, least: float = 0.0) -> NoReturn:
        """Show what failed for a while, then start again: the next start may find what this one missed."""
        self._ports.operator.show(str(error))
        asked = self._facts.arguments.failure_hold
        self._leave(max(FAILURE_HOLD_SECONDS, least) if asked is None else asked)

    def _leave(self, seconds: float) -> NoReturn:
        """A person may cut the wait short, and then counts what was in vain from zero."""
        self._finder.release()
        self._bus.message(f"Restarting in {spoken(seconds)}; any key: at once")
        self._bus.close()
        if hold(self._ports.operator, self._ports.clock, seconds):
            self._ports.in_vain().reset()
        self._ports.power.reboot()

    def _by_fallback(self, arguments: BootArguments) -> bool:
        # Not at the top: a start with arguments, which is every normal one, does not need them.
        from gprov.apps.unit.boot.boot_entries import chosen_by_nobody

        return chosen_by_nobody(self._ports.firmware, arguments, self._branding, self._bus)
