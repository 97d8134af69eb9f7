"""One round of the agent: what has happened since the last one, what the server wants, and the next step of its action.

Each step is stored on RECOVERY before the next one begins. A round can end anywhere, and the next one goes on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gprov import __version__
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.update.consent import Consent, ServerQuestions
from gprov.apps.update.ending import Ending
from gprov.apps.update.gate import ImageGate
from gprov.apps.update.install import Installation
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.placement import ImagePlacement
from gprov.apps.update.ports import Identity, UpdatePorts
from gprov.apps.update.records import StateFile, require_recovery
from gprov.apps.update.reports import Reports
from gprov.apps.update.result import RoundResult
from gprov.apps.update.server import DdiServer
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import DeviceFault, InternalError, NetworkFault
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.config import UpdateConfig
from gprov.domain.update.decide import (
    AnswerAgain,
    Begin,
    Download,
    Permission,
    RequestRestore,
    RestartAgain,
    Wait,
    next_step,
    settled,
)
from gprov.domain.update.decision import OwnerDecision
from gprov.domain.update.messages import SHORTEST_SLEEP, Deployment, Poll, UnreadableDeployment
from gprov.domain.update.state import Phase, Result, UpdateState
from gprov.domain.update.sw_description import REVISION_ATTRIBUTE, VERSION_ATTRIBUTE, release_version

# By which the date of an image can be ahead of UTC.
_ANY_ZONE = timedelta(days=1)
# Until the system has reported that it is up.
_SETTLE_SECONDS = 10.0
_Offer = Deployment | UnreadableDeployment


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
        self._consent = Consent(ports.files, paths, context.bus)
        self._questions = ServerQuestions(self._server, self._consent, config.confirm)
        self._ending = Ending(self._server, self._system, self._placement, self._consent, context.bus)
        self._reports = Reports(self._server, context.bus)

    def round(self) -> RoundResult:
        """Raises GprovError: try again later."""
        require_recovery(self._ports, self._paths)
        record = StateFile(self._ports.files, self._paths, self._bus)
        self._settle(record)
        if record.value is not None and record.value.phase in (Phase.READY, Phase.REQUESTED):
            observed = self._system.observe(record.value.image)
            if observed.image == record.value.image:
                return RoundResult(_SETTLE_SECONDS, "the report of the system that it is up")
        self._ending.send_first(record)
        poll = self._server.poll()
        if self._ending.send_once_more(record, poll):
            return RoundResult(0.0)
        if poll.config_data:
            self._put_attributes(poll.config_data)
        result = self._serve(record, poll)
        self._ending.send_first(record)
        return result

    def _serve(self, record: StateFile, poll: Poll) -> RoundResult:
        if poll.cancel:
            self._ending.cancel(record, poll.cancel)
            return RoundResult(poll.sleep)
        if poll.confirmation:
            waiting = self._questions.answer(poll.confirmation)
            # What was confirmed is offered at the next poll.
            return RoundResult(poll.sleep if waiting else min(poll.sleep, SHORTEST_SLEEP), waiting)
        self._consent.ask(None)
        if poll.deployment:
            offer = self._server.deployment(poll.deployment)
            try:
                return self._work(record, offer, poll.sleep)
            except DeviceFault as fault:
                self._reports.fault(offer.action, fault)
                raise
        return RoundResult(poll.sleep)

    def _settle(self, record: StateFile) -> None:
        """After a start: how the action ended, if it has."""
        state = record.value
        if state is None or not state.is_open:
            return
        observed = self._system.observe(state.image)
        after = settled(state, observed)
        if after != state:
            self._ending.end(record, after)

    def _work(self, record: StateFile, offer: _Offer, sleep: float) -> RoundResult:
        decision = self._consent.decision(offer)
        if decision is not None and not decision.agreed and self._may_deny(record.value, offer):
            self._deny(record, offer)
            return RoundResult(sleep)
        step = next_step(record.value, offer, self._permission(decision), self._system.running)
        match step:
            case Begin(state):
                self._begin(record, state)
                return RoundResult(0.0)
            case AnswerAgain():
                self._ending.answer_again(record)
                return RoundResult(sleep)
            case Wait(reason, most):
                self._reports.tell(record, offer.action, f"waits for {reason}")
                return RoundResult(sleep if most is None else min(sleep, most), reason)
            case RestartAgain(reason):
                self._reports.tell(record, offer.action, f"waits for {reason}")
                if self._config.reboot:
                    self._ports.restart.restart()
                return RoundResult(sleep, reason)
            case Download():
                return self._installation().download(record, _readable(offer), sleep)
            case RequestRestore():
                return self._installation().request(record, sleep)

    def _permission(self, decision: OwnerDecision | None) -> Permission:
        running, prefix = self._system.running, self._paths.branding.image_prefix
        today = datetime.fromtimestamp(self._ports.clock.now_ns() // 10**9, UTC).date()
        return Permission(
            self._config,
            self._ports.local_time.now(),
            agreed=decision is not None and decision.agreed,
            is_set=not running or today >= parse_image_name(running, prefix).date - _ANY_ZONE,
        )

    def _installation(self) -> Installation:
        return Installation(
            ports=self._ports,
            paths=self._paths,
            context=self._context,
            system=self._system,
            server=self._server,
            placement=self._placement,
            gate=ImageGate(self._ports, self._paths, self._context, self._identity.code_name),
            reports=self._reports,
            serial=self._identity.serial,
            reboots=self._config.reboot,
            end=self._ending.end,
        )

    def _begin(self, record: StateFile, state: UpdateState) -> None:
        before = record.value
        if before is not None and before.is_open:
            self._bus.message(f"action {before.action} is replaced by action {state.action}")
            self._system.withdraw(before.image)
            self._placement.clean_up(before, self._system.running)
            if before.action != state.action:
                self._consent.forget(before.action, agreed=True)
        record.record(state)
        if state.is_open:
            self._bus.message(f"action {state.action}: begun")
        else:
            self._ending.show(state)

    def _may_deny(self, state: UpdateState | None, offer: _Offer) -> bool:
        if state is None or (state.action, state.identity) != (offer.action, offer.identity):
            return state is None or state.phase is not Phase.REQUESTED
        return state.phase in (Phase.DOWNLOAD, Phase.READY)

    def _deny(self, record: StateFile, offer: _Offer) -> None:
        state = record.value
        if state is None or (state.action, state.identity) != (offer.action, offer.identity):
            state = UpdateState(action=offer.action, identity=offer.identity, phase=Phase.DOWNLOAD)
            self._begin(record, state)
        self._ending.end(record, state.ended(Result.FAILURE, "denied at the unit"))

    def _put_attributes(self, url: str) -> None:
        """A server that does not take them may have an action all the same."""
        try:
            self._server.put_attributes(url, self._attributes())
        except NetworkFault as fault:
            self._bus.warning(f"the attributes of the unit are not reported: {fault}")

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


def _readable(offer: _Offer) -> Deployment:
    if isinstance(offer, UnreadableDeployment):
        raise InternalError("the download of a deployment that cannot be read")
    return offer
