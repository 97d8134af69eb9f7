"""Commands to the TPM that belong together, each repeated while it is busy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gprov.domain.errors import DeviceFault
from gprov.domain.formats.tpm.replies import SUCCESS, TpmReply, parse_reply
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import TpmChannel

TPM = "TPM"
# A TPM that tests itself, or saves its NVRAM, asks for the command again.
_ATTEMPTS = 20
_PAUSE = 1.0


class TpmConversation:
    def __init__(self, channel: TpmChannel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock

    def send(self, command: bytes) -> TpmReply:
        """The reply may state an error. Raises DeviceFault, BadInput."""
        reply = parse_reply(self._channel.send(command))
        for _ in range(_ATTEMPTS):
            if not reply.try_later:
                break
            self._clock.sleep(_PAUSE)
            reply = parse_reply(self._channel.send(command))
        return reply

    def ask(self, name: str, command: bytes) -> bytes:
        """Return what follows the header of the reply. ``name``: of the command, for messages. Raises DeviceFault if
        the TPM refuses, BadInput."""
        reply = self.send(command)
        if reply.code != SUCCESS:
            raise DeviceFault(TPM, f"{name}: {reply.describe('owner')}")
        return reply.content

    @contextmanager
    def flushed(self, handle: int) -> Iterator[int]:
        """An object or session that is removed at the end of the context, unless it has ended already."""
        try:
            yield handle
        finally:
            from gprov.domain.formats.tpm.objects import flush_context

            with suppress(DeviceFault):
                self._channel.send(flush_context(handle))

    @contextmanager
    def policy_session(self, pcrs: frozenset[int]) -> Iterator[int]:
        """A session with the policy that these PCRs have their values of now. Raises DeviceFault, BadInput."""
        from gprov.domain.formats.tpm.policy import parse_session, policy_pcr, start_policy_session

        handle = parse_session(self.ask("TPM2_StartAuthSession", start_policy_session()))
        with self.flushed(handle) as session:
            self.ask("TPM2_PolicyPCR", policy_pcr(session, pcrs))
            yield session
