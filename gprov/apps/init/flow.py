"""Every boot: collect facts, decide, execute the decision, until switch root, a restart or power-off."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn, assert_never

from gprov.apps.init.emergency_search import POLL_SECONDS, EmergencySearch
from gprov.apps.init.ending import FILES_FOUND, BootEnding
from gprov.apps.init.handover import prepare_handover
from gprov.apps.init.ports import InitPorts, RestoreFlow
from gprov.apps.init.search import RootFinder
from gprov.apps.init.waiting import BootWaiter
from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.boot.decide import decide
from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    Erase,
    FollowEraseRecord,
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
    WithdrawRequest,
)
from gprov.domain.boot.facts import BootFacts, Flag, Found, Mounted
from gprov.domain.disk.model import Volume
from gprov.domain.disk.rootspec import parse_root
from gprov.domain.errors import DeviceFault, EraseUnfinished, GprovError, InternalError

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.boot_erase import BootErase
    from gprov.apps.init.system_requests import SystemRequests


class Boot:
    """One boot of the normal kernel."""

    def __init__(self, ports: InitPorts, context: UnitContext) -> None:
        arguments, label = context.arguments, context.branding.primary_label
        spec, note = parse_root(arguments.real_root, label) if arguments.real_root else (None, "")
        self._ports = ports
        self._volumes = ports.volumes
        self._context = context
        self._bus = context.bus
        self._finder = RootFinder(ports.volumes, spec or parse_root(f"LABEL={label}").spec, context)
        self._started = ports.volumes.clock.monotonic()
        self._image_menus_left = 0
        self._facts = BootFacts(
            arguments=arguments,
            started_by_fallback=arguments.restore_requested and self._is_fallback_boot(),
        )
        self._ending = BootEnding(ports, self._finder.release, context)
        self._emergency = EmergencySearch(ports.volumes, ports.media_search, context)
        self._waiter = BootWaiter(ports.volumes.blocks, ports.operator, arguments.key_window, context.bus)
        for line in (*arguments.notes, *([note] if note else [])):
            self._bus.warning(line)

    def run(self) -> NoReturn:
        """Ends in switch root, in a reboot or in power-off; never returns."""
        try:
            while True:
                self._facts = self._collect_facts()
                self._execute(decide(self._facts))
        except Exception as exc:  # noqa: BLE001 - an unexpected error is also shown, counted, and retried after a pause
            from gprov.apps.unit.reporting.unexpected import UnexpectedError

            error = exc if isinstance(exc, GprovError) else UnexpectedError(exc)
            self._bus.error(error)
            self._ending.give_up(str(error))

    def _collect_facts(self) -> BootFacts:
        elapsed = self._volumes.clock.monotonic() - self._started
        present = self._waiter.is_operator_present(elapsed, self._facts.operator_present)
        facts = replace(self._facts, elapsed=elapsed, operator_present=present)
        if facts.arguments.restore_requested and not facts.started_by_fallback:
            return facts
        if not self._waiter.search_due(elapsed):
            return self._emergency.collect(facts)
        facts = replace(facts, root=self._finder.search(elapsed))
        return self._emergency.update(facts, self._finder.scanned)

    def _execute(self, decision: Decision) -> None:
        match decision:
            case KeepWaiting():
                poll = POLL_SECONDS if self._emergency.busy else None
                self._facts = self._waiter.wait(decision, self._facts, poll)
            case SurveyTargets():
                self._survey()
            case CheckFileSystem():
                self._check(decision)
            case UseVolume() | StartArray() | WithdrawRequest():
                self._change_root(decision)
            case SwitchRoot():
                self._switch_root(decision.volume)
            case Restore():
                self._restore(decision)
            case OpenMenu():
                self._menu()
            case GiveUp():
                self._give_up(decision.reason)
            case Erase() | ShowEraseFailure() | FollowEraseRecord() | OpenShell():
                self._leave_normal_boot(decision)
            case _:
                assert_never(decision)

    def _leave_normal_boot(self, decision: Erase | ShowEraseFailure | FollowEraseRecord | OpenShell) -> None:
        match decision:
            case Erase():
                self._erase(decision)
            case ShowEraseFailure():
                self._data_erase().show_failure()
                self._menu()
            case FollowEraseRecord():
                self._facts = replace(self._facts, erase_followed=True)
                if self._data_erase().follow_record():
                    self._menu()
            case OpenShell():
                self._open_shell()

    def _erase(self, decision: Erase) -> None:
        """Returns only if a request of the system is not acted on."""
        if decision.request is None:
            self._data_erase().run(confirmed=decision.confirmed)
        elif (root := self._begin_request()) is not None:
            withdraw = partial(self._requests().withdraw_unmounted, root)
            self._data_erase().run(request=decision.request, on_failure=withdraw)

    def _begin_request(self) -> Volume | None:
        """The root with the request of the system that is acted on now; None: it must not be."""
        self._facts = replace(self._facts, request_settled=True)
        return self._requests().begin(self._facts.root)

    def _requests(self) -> SystemRequests:
        from gprov.apps.init.system_requests import SystemRequests

        return SystemRequests(self._volumes, self._context)

    def _open_shell(self) -> NoReturn:
        try:
            ended = self._ports.shell(self._finder.wait_for_root).run()
        except GprovError as error:
            self._bus.error(error)
            self._ending.show_error_and_restart(error)
        self._finder.release()
        self._bus.message(ended)
        self._ending.restart()

    def _change_root(self, decision: UseVolume | StartArray | WithdrawRequest) -> None:
        match decision:
            case UseVolume():
                self._bus.warning(f"root is {decision.volume.node}: {decision.reason}")
                self._finder.use(decision.volume)
            case StartArray():
                self._bus.warning(f"going on without the members that are missing: {decision.reason}")
                self._finder.start_array(decision.array, self._facts.elapsed)
                self._facts = replace(self._facts, targets=None)
            case WithdrawRequest():
                self._facts = replace(self._facts, request_settled=True)
                self._requests().withdraw(decision.volume, decision.reason)

    def _survey(self) -> None:
        # Before the survey, so that a device change during the survey is noticed.
        self._waiter.subscribe()
        # The survey would take the disk of a mounted root for a disk in use.
        self._finder.release()
        survey = self._ports.survey().survey_targets()
        self._facts = replace(self._facts, targets=survey)
        self._bus.log(survey.describe())

    def _check(self, decision: CheckFileSystem) -> None:
        from gprov.apps.init.root_check import check_root

        self._finder.release()
        outcome = check_root(decision, self._volumes.filesystems(), self._bus)
        self._finder.retry()
        checks = {**self._facts.checks, decision.volume.stable_id: outcome}
        self._facts = replace(self._facts, checks=checks, targets=None)

    def _switch_root(self, volume: Volume) -> None:
        root = self._facts.root if isinstance(self._facts.root, Found) else Found(volume, Mounted(Flag.PRESENT))
        prepare_handover(root, self._finder.started_array(volume), self._ports, self._context)
        self._bus.milestone("handover")
        self._waiter.close()
        self._emergency.close()
        self._ports.operator.close()
        try:
            self._volumes.mounts.switch_root(self._context.mount_points.root, self._context.branding.real_init)
        except DeviceFault as fault:
            self._bus.error(fault)
            root = Found(volume, Mounted(Flag.PRESENT, str(fault)))
            self._execute(decide(replace(self._facts, root=root)))

    def _restore(self, decision: Restore) -> None:
        """Returns only if a person chose this restore in the boot menu, and then left the menu of images; or if the
        emergency files that request it are not used, or the request of the system is not acted on."""
        by_person, by_system = (
            decision.reason is reason
            for reason in (RestoreReason.REQUESTED_BY_PERSON, RestoreReason.REQUESTED_BY_SYSTEM)
        )
        requesting = self._begin_request() if by_system else None
        if by_system and requesting is None:
            return
        self._bus.log(f"factory restore: {decision.reason.value} ({decision.evidence})")
        self._finder.release()
        restore = self._ports.restore()
        try:
            if decision.reason is RestoreReason.EMERGENCY_FILE:
                restored = self._restore_from_media(restore)
            else:
                restored = self._restore_from_recovery(restore, decision, by_person=by_person)
        except EraseUnfinished as unfinished:
            self._data_erase().go_on(unfinished)
            self._menu()
            return
        except GprovError as error:
            from gprov.domain.boot.budget import UNCOUNTED_SECONDS

            counted = restore.attempt_recorded
            if requesting is not None and not restore.primary_changed:
                # The system starts next: a pause would only keep it down. The request counts what begins again.
                self._requests().withdraw_unmounted(requesting, str(error))
                counted = True
            self._ending.show_error_and_restart(error, 0.0 if counted else UNCOUNTED_SECONDS)
        if not restored and decision.reason is RestoreReason.EMERGENCY_FILE:
            return
        if by_person and not restored:
            # The key still counts as pressed: the boot menu comes again.
            self._image_menus_left += 1
            return
        self._ending.restart()

    def _restore_from_recovery(self, restore: RestoreFlow, decision: Restore, *, by_person: bool) -> bool:
        from gprov.apps.init.plugged_in import plugged_in_media

        with plugged_in_media(self._volumes, self._ports.media_search, self._context) as media:
            restored = restore.run(decision.image, named=decision.named, by_person=by_person, pause_event=media.wait)
        if not restored and not by_person:
            self._bus.message(FILES_FOUND)
        return restored

    def _restore_from_media(self, restore: RestoreFlow) -> bool:
        """False: the files are not used, PRIMARY is as it was, and the boot goes on without them."""
        from gprov.apps.init.emergency_restore import EmergencyRestore

        request = self._emergency.request
        if request is None:
            raise InternalError("a restore with emergency files, of which there are none")
        restored = EmergencyRestore(self._ports, self._context).run(request, restore)
        self._emergency.refuse(request)
        self._facts = replace(self._facts, targets=None)
        return restored

    def _give_up(self, reason: str) -> None:
        """A unit that was to be erased, and of which a disk is missing, looks like one that lost its system."""
        if not self._data_erase().follow_record(reason):
            self._ending.give_up(reason)
        self._menu()

    def _data_erase(self) -> BootErase:
        from gprov.apps.init.boot_erase import BootErase

        return BootErase(self._ports, self._ending, self._finder.release, self._bus)

    def _menu(self) -> None:
        from gprov.apps.init.boot_menu import run_menu
        from gprov.domain.boot.boot_menu import PowerOff, ResumeBoot

        outcome = run_menu(self._ports.operator, self._image_menus_left)
        match outcome:
            case ResumeBoot():
                self._waiter.end_key_window()
                self._facts = replace(self._facts, key_pressed=False, operator_present=False)
            case PowerOff():
                self._ending.power_off()
            case Restore() | Erase():
                self._execute(outcome)
            case _:
                assert_never(outcome)

    def _is_fallback_boot(self) -> bool:
        from gprov.apps.unit.boot.boot_entries import is_fallback_boot

        return is_fallback_boot(self._volumes.firmware(), self._context)
