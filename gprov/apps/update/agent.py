"""One round of the agent: what has happened since the last one, what the server wants, and the next step of its action.

Each step is stored on RECOVERY before the next one begins. A round can end anywhere, and the next one goes on.
"""

from __future__ import annotations

from dataclasses import replace

from gprov import __version__
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.update.gate import ImageGate
from gprov.apps.update.install import Installation
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.placement import ImagePlacement
from gprov.apps.update.ports import Identity, UpdatePorts
from gprov.apps.update.records import StateFile, read_decision
from gprov.apps.update.result import RoundResult
from gprov.apps.update.server import DdiServer
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import DeviceMissing, NetworkFault
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.config import Confirmation, UpdateConfig
from gprov.domain.update.decide import (
    CANCELED,
    AnswerAgain,
    Begin,
    Download,
    Permission,
    RequestRestore,
    Wait,
    is_cancellable,
    next_step,
    settled,
)
from gprov.domain.update.decision import OwnerDecision
from gprov.domain.update.messages import SHORTEST_SLEEP, Deployment, Poll
from gprov.domain.update.state import Phase, Result, UpdateState
from gprov.domain.update.sw_description import REVISION_ATTRIBUTE, VERSION_ATTRIBUTE, release_version

# Until the system has reported that it is up.
_SETTLE_SECONDS = 10.0


class UpdateAgent:
    """``identity`` and ``config`` hold for the whole run: a changed file counts after a restart of the agent."""

    def __init__(
        self, ports: UpdatePorts, paths: UpdatePaths, context: UnitContext, config: UpdateConfig, identity: Identity
    ) -> None:
        self._ports = ports
        self._paths = paths
        self._context = context
        self._bus = context.bus
        self._config = config
        self._identity = identity
        self._system = SystemRecords(ports.files, ports.clock, paths, context)
        self._server = DdiServer(ports.server_for(config), config, identity, ports.clock)
        self._placement = ImagePlacement(ports.files, self._system, paths, context)
        self._told = ""

    def round(self) -> RoundResult:
        """Raises GprovError: try again later."""
        if not self._ports.is_mounted(self._paths.recovery):
            raise DeviceMissing(
                self._paths.recovery, "RECOVERY is not mounted: nothing can be downloaded or remembered"
            )
        record = StateFile(self._ports.files, self._paths, self._bus)
        self._settle(record)
        if record.value is not None and record.value.phase in (Phase.READY, Phase.REQUESTED):
            observed = self._system.observe(record.value.image)
            if observed.image == record.value.image != record.value.previous:
                return RoundResult(_SETTLE_SECONDS, "the report of the system that it is up")
        self._send_answer(record)
        poll = self._server.poll()
        if poll.config_data:
            self._server.put_attributes(poll.config_data, self._attributes())
        result = self._serve(record, poll)
        self._send_answer(record)
        return result

    def _serve(self, record: StateFile, poll: Poll) -> RoundResult:
        if poll.cancel:
            self._cancel(record, poll.cancel)
            return RoundResult(poll.sleep)
        if poll.confirmation:
            waiting = self._confirm(poll.confirmation)
            # What was confirmed is offered at the next poll.
            return RoundResult(poll.sleep if waiting else min(poll.sleep, SHORTEST_SLEEP), waiting)
        if poll.deployment:
            return self._work(record, self._server.deployment(poll.deployment), poll.sleep)
        return RoundResult(poll.sleep)

    def _settle(self, record: StateFile) -> None:
        """After a start: how the action ended, if it has."""
        state = record.value
        if state is None or not state.is_open:
            return
        observed = self._system.observe(state.image)
        after = settled(state, observed)
        if after != state:
            self._end(record, after)

    def _end(self, record: StateFile, ended: UpdateState) -> None:
        """Files first: what a cut leaves is settled again in the same way."""
        if ended.answer is not None and ended.answer.result is not Result.SUCCESS:
            self._system.withdraw(ended.image)
            self._placement.clean_up(ended, self._system.running)
        record.record(ended)
        for text in ended.answer.details if ended.answer is not None else ():
            self._bus.message(f"action {ended.action}: {text}")

    def _send_answer(self, record: StateFile) -> None:
        state = record.value
        if state is not None and state.answer is not None and not state.answered:
            self._server.answer(state.action, state.answer, state.cancel)
            record.record(replace(state, answered=True))
            self._bus.log(f"action {state.action}: the server has the answer: {state.answer.result.value}")

    def _cancel(self, record: StateFile, url: str) -> None:
        cancel, action = self._server.cancellation(url)
        state = record.value
        if state is None or state.action != action:
            self._server.accept_cancellation(cancel, ["this unit has done nothing for the action"])
        elif not state.is_open:
            self._answer_late_cancellation(state, cancel)
        elif is_cancellable(state, self._system.boot):
            # First: a request that is withdrawn and not restored would else be taken for one that failed.
            canceled = replace(state, cancel=cancel)
            record.record(canceled)
            self._end(record, canceled.ended(Result.CANCELED, CANCELED))
        else:
            self._server.reject_cancellation(cancel, ["the restore of the image has begun"])

    def _answer_late_cancellation(self, state: UpdateState, cancel: str) -> None:
        if state.answer is not None and state.answer.result is Result.SUCCESS:
            self._server.reject_cancellation(cancel, ["the image is installed", *state.answer.details])
        else:
            self._server.accept_cancellation(cancel, ["the action had ended before", *_details(state)])

    def _confirm(self, url: str) -> str:
        """Returns for what the server waits then, "" for nothing more."""
        deployment = self._server.confirmation(url)
        if deployment is None:
            return ""
        decision = self._decision(deployment.action)
        if self._config.confirm is Confirmation.AUTO:
            self._server.confirm(deployment.action, ["the configuration of the unit confirms updates"], agreed=True)
        elif decision is None:
            return f"the owner: gprov-update confirm {deployment.action} (or deny)"
        else:
            word = "confirmed" if decision.agreed else "denied"
            self._server.confirm(deployment.action, [f"{word} at the unit"], agreed=decision.agreed)
        return ""

    def _work(self, record: StateFile, deployment: Deployment, sleep: float) -> RoundResult:
        decision = self._decision(deployment.action)
        if decision is not None and not decision.agreed and self._may_deny(record.value, deployment):
            self._deny(record, deployment)
            return RoundResult(sleep)
        permission = Permission(self._config, self._ports.local_time.now(), agreed=decision is not None)
        step = next_step(record.value, deployment, permission, self._system.running)
        match step:
            case Begin(state):
                self._begin(record, state)
                return RoundResult(0.0)
            case AnswerAgain():
                self._answer_again(record)
                return RoundResult(sleep)
            case Wait(reason):
                self._tell(deployment.action, f"waits for {reason}")
                self._restart_again(record)
                return RoundResult(sleep, reason)
            case Download():
                return self._installation().download(record, deployment, sleep)
            case RequestRestore():
                return self._installation().request(record, sleep)

    def _installation(self) -> Installation:
        gate = ImageGate(self._ports, self._paths, self._context, self._identity.code_name)
        return Installation(
            ports=self._ports,
            paths=self._paths,
            context=self._context,
            system=self._system,
            server=self._server,
            placement=self._placement,
            gate=gate,
            serial=self._identity.serial,
            reboots=self._config.reboot,
            end=self._end,
        )

    def _begin(self, record: StateFile, state: UpdateState) -> None:
        before = record.value
        if before is not None and before.is_open:
            self._bus.message(f"action {before.action} is replaced by action {state.action}")
            self._system.withdraw(before.image)
            self._placement.clean_up(before, self._system.running)
        record.record(state)
        self._bus.message(f"action {state.action}: begun")

    def _restart_again(self, record: StateFile) -> None:
        """A restart that could not be begun, or a service of the system that holds it up."""
        if record.value is not None and record.value.phase is Phase.REQUESTED and self._config.reboot:
            self._ports.restart.restart()

    def _answer_again(self, record: StateFile) -> None:
        """The server does not know the answer that it has taken: it has crashed since, or never stored it."""
        if record.value is not None:
            record.record(replace(record.value, answered=False))

    def _may_deny(self, state: UpdateState | None, deployment: Deployment) -> bool:
        return state is None or state.action != deployment.action or state.phase in (Phase.DOWNLOAD, Phase.READY)

    def _deny(self, record: StateFile, deployment: Deployment) -> None:
        state = record.value
        if state is None or (state.action, state.identity) != (deployment.action, deployment.identity):
            state = UpdateState(action=deployment.action, identity=deployment.identity, phase=Phase.DOWNLOAD)
            self._begin(record, state)
        self._end(record, state.ended(Result.FAILURE, "denied at the unit"))

    def _decision(self, action: str) -> OwnerDecision | None:
        decision = read_decision(self._ports.files, self._paths, self._bus)
        return decision if decision is not None and decision.action == action else None

    def _tell(self, action: str, text: str) -> None:
        """The server, once for each change. That it does not hear of it is no reason to stop."""
        if (told := f"{action} {text}") == self._told:
            return
        self._bus.message(f"action {action} {text}")
        try:
            self._server.report(action, [text])
        except NetworkFault as fault:
            self._bus.warning(f"not reported: {fault}")
        self._told = told

    def _attributes(self) -> dict[str, str]:
        running, prefix = self._system.running, self._paths.branding.image_prefix
        known = {
            REVISION_ATTRIBUTE: self._identity.code_name,
            VERSION_ATTRIBUTE: release_version(parse_image_name(running, prefix)) if running else "",
            "image": running,
            "serial": self._identity.serial,
            "gprov": __version__,
        }
        return {key: value for key, value in {**known, **self._config.attributes}.items() if value}


def _details(state: UpdateState) -> tuple[str, ...]:
    return state.answer.details if state.answer is not None else ()
