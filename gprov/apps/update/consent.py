"""What the owner of the unit says about an action: the question and its answer on RECOVERY, and the answer to a server
that asks for it."""

from __future__ import annotations

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.server import DdiServer
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.update.config import Confirmation
from gprov.domain.update.decision import (
    MAX_DECISION,
    Offered,
    OwnerDecision,
    parse_decision,
    parse_offered,
    serialise_decision,
    serialise_offered,
)
from gprov.domain.update.messages import Deployment, UnreadableDeployment
from gprov.ports.files import Files


class Consent:
    def __init__(self, files: Files, paths: UpdatePaths, bus: EventBus) -> None:
        self._files = files
        self._paths = paths
        self._bus = bus

    def decision(self, deployment: Deployment | UnreadableDeployment) -> OwnerDecision | None:
        """About what the server offers now; None without one."""
        decision = self._decision()
        return decision if decision is not None and decision.offered == offered_by(deployment) else None

    def decide(self, decision: OwnerDecision) -> None:
        """Raises DeviceFault."""
        self._files.replace(self._paths.decision, serialise_decision(decision), mode=0o600)

    def forget(self, action: str, *, agreed: bool) -> None:
        """What was said about this action, if it was an agreement or else a denial. Raises DeviceFault."""
        decision = self._decision()
        if decision is not None and decision.offered.action == action and decision.agreed is agreed:
            self._files.remove(self._paths.decision)

    def forget_all(self) -> None:
        """Raises DeviceFault."""
        self._files.remove(self._paths.decision)
        self.ask(None)

    def seen(self) -> bytes | None:
        """What the file with a decision holds: to find out whether it has changed. Any text for one that cannot be
        read."""
        try:
            return read_regular(self._files, self._paths.decision, MAX_DECISION)
        except (BadInput, DeviceFault) as error:
            return error.sentence.encode("utf-8", "replace")

    def question(self) -> Offered | None:
        """What the server wants a confirmation of. A file that does not parse is reported. Raises DeviceFault."""
        try:
            content = read_regular(self._files, self._paths.offer, MAX_DECISION)
            return parse_offered(self._paths.offer, content) if content is not None else None
        except BadInput as error:
            self._bus.warning(f"no question to the owner: {error}")
            return None

    def ask(self, question: Offered | None) -> None:
        """The question to the owner from now on; None for none. Raises DeviceFault."""
        if question is None:
            if self._files.status(self._paths.offer) is not None:
                self._files.remove(self._paths.offer)
        elif question != self.question():
            self._files.replace(self._paths.offer, serialise_offered(question), mode=0o600)

    def _decision(self) -> OwnerDecision | None:
        """A file that does not parse is reported, and decides nothing."""
        try:
            content = read_regular(self._files, self._paths.decision, MAX_DECISION)
            return parse_decision(self._paths.decision, content) if content is not None else None
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"no decision of the owner: {error}")
            return None


class ServerQuestions:
    """Confirmations that the server asks for. ``required``: by the configuration of the unit."""

    def __init__(self, server: DdiServer, consent: Consent, required: Confirmation) -> None:
        self._server = server
        self._consent = consent
        self._required = required
        self._denied: Offered | None = None

    def answer(self, url: str) -> str:
        """Returns for what the server waits then, "" for nothing more. Raises GprovError."""
        deployment = self._server.confirmation(url)
        if deployment is None:
            return ""
        action = deployment.action
        if self._required is Confirmation.AUTO:
            self._server.confirm(action, ["the configuration of the unit confirms updates"], agreed=True)
            return ""
        self._consent.ask(offered_by(deployment))
        decision = self._consent.decision(deployment)
        if decision is None:
            return f"the owner: gprov-update confirm {action} (or deny)"
        if decision.agreed:
            self._server.confirm(action, ["confirmed at the unit"], agreed=True)
            return ""
        if self._denied != decision.offered:  # a server that goes on asking is told once in each run of the agent
            self._server.confirm(action, ["denied at the unit"], agreed=False)
            self._denied = decision.offered
        return f"the server, since action {action} is denied at the unit"


def offered_by(deployment: Deployment | UnreadableDeployment) -> Offered:
    return Offered(deployment.action, deployment.identity)
