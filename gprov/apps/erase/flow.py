"""Data erase of a unit: every data disk by the best technique that it supports, verified, and reported."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.erase.confirmation import AskedErase, confirmed_by_person
from gprov.apps.erase.machine_data import erase_machine_data, failures
from gprov.apps.erase.ports import ErasePorts
from gprov.apps.erase.preparation import prepare_disks
from gprov.apps.erase.raid_metadata import RaidMetadataKeeper, kept_kind
from gprov.apps.erase.recorder import EraseRecorder
from gprov.apps.erase.reporting import report_erase, unit_identity
from gprov.apps.erase.survey import find_scope, free_drives, plan_erasures, warn_of_busy_drives
from gprov.apps.erase.unrecorded import may_begin_unrecorded
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.identity import identify_unit, read_smbios, recovery_attachment_rule, stored_code_name
from gprov.apps.unit.recovery.erase_ends import write_ends
from gprov.apps.unit.recovery.erase_record import EraseRecordFile, has_begun, refuse_unfinished_erase
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.recovery.volume import RecoveryVolume, mounted_recovery
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.boot_request import EraseRequested
from gprov.domain.erase.outcome import DiskOutcome
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.questions import all_erased, outcome_text, result_text, unknown_platform_question
from gprov.domain.erase.record import EraseRecord, RecordState
from gprov.domain.erase.report import OverallVerdict
from gprov.domain.erase.report_making import ErasureFacts
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.request_text import parse_request
from gprov.domain.erase.result import EraseResult
from gprov.domain.erase.resume import absent_disks, resume_problem, resumed_record
from gprov.domain.erase.scope import Scope
from gprov.domain.errors import DeviceFault, EraseFailed, GprovError, HardwareMismatch
from gprov.domain.platform.identify import Unit

_CONFIRM_SECONDS = 300.0


class DataErase:
    """One erase. Until it is confirmed, nothing changes; from then on, it is resumed after a power cut."""

    def __init__(self, ports: ErasePorts, context: UnitContext, request: EraseRequest) -> None:
        self._ports = ports
        self._context = context
        self._request = request
        self._asked = AskedErase.by_arguments(context.arguments)
        self._bus = context.bus
        self._reported: GprovError | None = None

    def run(self, *, confirmed: bool = False, request: EraseRequested | None = None) -> EraseResult:
        """``confirmed``: a person confirmed it before. ``request``: the running system asked for it, in place of the
        kernel arguments. An erase that a power cut interrupted is resumed without another
        confirmation. Raises GprovError, already reported: EraseFailed if a disk is not erased."""
        flow, context = self._ports.flow, self._context
        if request is not None:
            self._asked = AskedErase.by_system(request)
        try:
            with mounted_recovery(flow.volumes, recovery_attachment_rule(flow.smbios, context), context) as recovery:
                sink = QueuedSink(flow.file_sink_at(context.log_folder), flow.background)
                self._bus.attach(sink)
                try:
                    with unexpected_errors_translated():
                        return self._run(recovery, confirmed)
                except GprovError as error:
                    # Before the log on RECOVERY is closed, so that it contains the error.
                    self._report(error)
                    raise
                finally:
                    self._bus.detach(sink)
        except GprovError as error:
            if error is not self._reported:
                self._report(error)
            raise

    def check_unfinished(self) -> None:
        """Raises EraseUnfinished if an erase of this unit was interrupted or has failed; DeviceFault and DeviceMissing
        if RECOVERY cannot be read."""
        flow, context = self._ports.flow, self._context
        with mounted_recovery(flow.volumes, recovery_attachment_rule(flow.smbios, context), context):
            refuse_unfinished_erase(flow.volumes, context, by_person=False)

    def _report(self, error: GprovError) -> None:
        self._reported = error
        self._bus.error(error)
        self._bus.message(str(error))

    def _run(self, recovery: RecoveryVolume, confirmed: bool) -> EraseResult:
        flow, bus = self._ports.flow, self._bus
        file = EraseRecordFile(flow.volumes.files, self._context.log_folder, bus)
        # Before anything is asked: an option that is not understood is refused.
        wanted = parse_request(self._asked.options, self._request)
        found = file.read()
        record = found if found is not None and has_begun(found, flow.volumes.blocks) else None
        unit = self._identify()
        scope = find_scope(self._ports, recovery, unit, record, bus)
        if record is not None:
            record = self._usable(record, file, unit, scope, confirmed)
        if record is None:
            warn_of_busy_drives(self._ports, bus)
        scope = self._checked(scope, record)
        if record is None and not self._is_confirmed(unit, scope, wanted, confirmed):
            return self._declined()
        request = self._request_of(record, wanted)
        free_drives(self._ports, scope.disks, bus)
        erasures = plan_erasures(self._ports, scope.disks, request, record, bus)
        disks = tuple(erasure.disk for erasure in erasures)
        keeper = RaidMetadataKeeper(self._ports.runner, flow.volumes.files, self._context.log_folder, bus)
        if record is None:
            keeper.begin(disks, kept_kind(request, unit), after_failure=found is not None)
        recorder = EraseRecorder(self._record(erasures, record, unit, scope), file, flow.volumes.clock, bus)
        unrecorded = recorder.start()
        if record is None and unrecorded is not None and not self._may_begin(unrecorded, request, unit, confirmed):
            return self._declined()
        outcomes = self._erase(erasures, recorder, record)
        raid = keeper.put_back(disks, recorder.begin_anew)
        if request.clear_tpm:
            StoredSecrets(flow.volumes, self._context.mount_points.recovery).keep_unsealed(bus)
        # Whatever became of the disks: what is left on one of them may be encrypted with keys in the TPM.
        machine = erase_machine_data(self._ports.machine, request, bus, recorder.variables, recorder.mark_variables)
        facts = self._facts(unit, scope, outcomes, recorder.started_ns)
        problem, text = self._result(replace(facts, options=(*raid, *machine)), scope, tuple(failures(machine)))
        if problem:
            recorder.mark_failed(text)
            raise EraseFailed(text)
        # Before the record of the erase is removed: a cut between the two repeats both.
        write_ends(disks, self._ports.reader, flow.volumes.files, self._context.log_folder, bus)
        file.remove()
        bus.message(f"Data erase done: {text}")
        return EraseResult.ERASED

    def _checked(self, scope: Scope, record: EraseRecord | None) -> Scope:
        """With the disks of the record that are missing. Raises HardwareMismatch if there is no disk."""
        for left_out in scope.left_out:
            self._bus.log(left_out.describe())
        if not scope.disks:
            raise HardwareMismatch("data erase: no data disk was found; nothing was erased")
        if record is None:
            return scope
        return replace(scope, missing=max(scope.missing, absent_disks(record, scope.disks)))

    def _request_of(self, record: EraseRecord | None, wanted: EraseRequest) -> EraseRequest:
        """That of the interrupted erase, if this one continues it."""
        bus = self._bus
        bus.message("Data erase" if record is None else "Data erase goes on after an interruption")
        if record is None:
            return wanted
        if record.request != wanted and self._asked.options:
            bus.warning("data erase: its options are not used; the interrupted erase goes on with its own options")
        return record.request

    def _result(self, facts: ErasureFacts, scope: Scope, failed: tuple[str, ...]) -> tuple[bool, str]:
        """Write and register the report. Returns whether the erase failed, and its result in words."""
        for outcome in facts.outcomes:
            self._bus.log(outcome_text(outcome))
        verdict = report_erase(self._ports, facts, self._context)
        text = "; ".join((result_text(facts.outcomes, scope.missing), *failed))
        if all_erased(facts.outcomes, scope.missing) and verdict is OverallVerdict.ERASED and not failed:
            return False, text
        return True, f"{text}; the report of the erase states: {verdict.value}"

    def _identify(self) -> Unit | None:
        """None for a unit of an unknown platform."""
        flow, context = self._ports.flow, self._context
        fallback = context.arguments.proto_ident or stored_code_name(flow.volumes.files, context)
        try:
            return identify_unit(read_smbios(flow.smbios, self._bus), context.platforms, fallback, self._bus)
        except GprovError as error:
            self._bus.warning(f"data erase: the platform is unknown: {error}")
            return None

    def _is_confirmed(self, unit: Unit | None, scope: Scope, wanted: EraseRequest, confirmed: bool) -> bool:
        operator, serial = self._ports.operator, unit.serial if unit is not None else ""
        if unit is None and not operator.confirm(unknown_platform_question(scope), _CONFIRM_SECONDS):
            return False
        if confirmed or self._asked.confirms(serial):
            return True
        return confirmed_by_person(operator, serial or "(unknown)", scope, wanted)

    def _may_begin(self, fault: DeviceFault, request: EraseRequest, unit: Unit | None, confirmed: bool) -> bool:
        by_person = confirmed or not self._asked.confirms(unit.serial if unit else "")
        return may_begin_unrecorded(fault, request, self._ports.operator, self._bus, by_person=by_person)

    def _declined(self) -> EraseResult:
        self._bus.message("Data erase not confirmed: nothing was changed")
        return EraseResult.DECLINED

    def _usable(
        self, record: EraseRecord, file: EraseRecordFile, unit: Unit | None, scope: Scope, confirmed: bool
    ) -> EraseRecord | None:
        """The record, if this erase continues the recorded one; None: it is a new one. Raises EraseFailed if it may not
        go on and was not asked for again: its record is then that of a failed erase, so that a person decides."""
        problem = resume_problem(record, unit.serial if unit is not None else "", scope.disks)
        if not problem:
            return record
        text = f"the interrupted data erase does not go on: {problem}"
        if confirmed or self._asked.again:
            self._bus.warning(text)
            return None
        file.write(replace(record, state=RecordState.FAILED, summary=text))
        raise EraseFailed(text)

    def _record(
        self, erasures: tuple[DiskErasure, ...], before: EraseRecord | None, unit: Unit | None, scope: Scope
    ) -> EraseRecord:
        disks = tuple(erasure.progress for erasure in erasures)
        if before is not None:
            return resumed_record(before, disks)
        return EraseRecord(
            state=RecordState.RUNNING,
            started_ns=self._ports.flow.volumes.clock.now_ns(),
            request=erasures[0].request,
            serial=unit.serial if unit is not None else "",
            missing=scope.missing,
            disks=disks,
        )

    def _erase(
        self, erasures: tuple[DiskErasure, ...], recorder: EraseRecorder, before: EraseRecord | None
    ) -> tuple[DiskOutcome, ...]:
        cleared = before if before is not None and before.cleared else None
        disks = tuple(
            erasure.disk
            for erasure in erasures
            # Also one that was not found before.
            if cleared is None or cleared.progress_of(erasure.disk.identity, erasure.disk.size) is None
        )
        if disks:
            try:
                prepare_disks(self._ports.flow.executor, disks, recorder, self._bus)
            except GprovError as error:
                # A record that stays "running" would begin the same erase at every start, also after a person chose a
                # restore.
                recorder.mark_failed(str(error))
                raise
        return self._ports.runner.erase(erasures, recorder)

    def _facts(
        self, unit: Unit | None, scope: Scope, outcomes: tuple[DiskOutcome, ...], started_ns: int
    ) -> ErasureFacts:
        ended_ns = self._ports.flow.volumes.clock.now_ns()
        missing = f"{scope.missing} data disks of the platform were not found"
        return ErasureFacts(
            unit=unit_identity(unit),
            operator="",
            # The clock may have been set back since.
            started_ns=min(started_ns, ended_ns),
            ended_ns=ended_ns,
            requested=outcomes[0].requested,
            outcomes=outcomes,
            out_of_scope=tuple((one.disk, one.reason) for one in scope.left_out),
            missing=(missing,) if scope.missing else (),
        )
