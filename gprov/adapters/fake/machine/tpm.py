"""A simulated TPM: its state over restarts, and the commands that gprov sends to one."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.tpm_memory import FakeNv, FakeTpmMemory
from gprov.adapters.fake.machine.tpm_wire import Command, TpmRefusal, reply, sized, split

_CLEAR, _GET_CAPABILITY = 0x126, 0x17A
_RETRY, _BAD_SIZE, _BAD_COMMAND, _AUTH_FAIL, _DISABLED, _FAILURE = 0x922, 0x142, 0x143, 0x98E, 0x120, 0x101
_BAD_OWNER_AUTH, _NO_HANDLE, _TAKEN, _NV_FULL = 0x9A2, 0x18B, 0x14C, 0x14B
_HANDLES, _PROPERTIES, _PERMANENT = 1, 6, 0x200
_OWNER = 0x40000001
# Lockout hierarchy, and a session of 9 bytes with an empty password.
_AUTHORIZED = bytes.fromhex("4000000a 00000009 40000009 0000 00 0000")


@dataclass(kw_only=True)
class FakeTpmChip:
    """``persistent``: handles; those from 0x81800000 on are of the firmware. ``owned``: passwords of owner and
    endorsement hierarchy are set. ``busy``: how many times it asks for a command again. ``failed``: it is in failure
    mode. ``garbled``: replies that it gives to commands, by code, whatever they ask. ``ignores_clear``: it accepts
    TPM2_Clear and does nothing. ``presence``: the firmware has the physical presence interface; ``requested``: an
    operation is pending there. ``nv_room``: how many indices can be defined. ``memory``: what the machine's start
    resets; ``seed``: what makes its keys differ from those of others.
    """

    version: int = 2
    persistent: list[int] = field(default_factory=lambda: [0x81000001, 0x81010001, 0x81800001])
    owned: bool = True
    lockout_password: bool = False
    clear_disabled: bool = False
    busy: int = 0
    failed: bool = False
    garbled: dict[int, bytes] = field(default_factory=dict)
    ignores_clear: bool = False
    presence: bool = False
    requested: bool = False
    received: list[bytes] = field(default_factory=list)
    nv: dict[int, FakeNv] = field(default_factory=dict)
    nv_room: int = 8
    seed: bytes = b"first"
    memory: FakeTpmMemory = field(default_factory=FakeTpmMemory)

    @classmethod
    def new(cls, seed: bytes = b"first") -> FakeTpmChip:
        """As it is delivered: without an owner."""
        return cls(persistent=[0x81800001], owned=False, seed=seed)

    @property
    def holds_owner_data(self) -> bool:
        return self.owned or bool(self.nv) or any(handle < 0x81800000 for handle in self.persistent)

    def restart(self) -> None:
        """The machine starts: PCRs have their first values."""
        self.memory = FakeTpmMemory(keys=self.memory.keys)

    def flush(self) -> None:
        """The kernel closes its device: objects and sessions are gone."""
        self.memory.flush()

    def reply_to(self, command: bytes) -> bytes:
        self.received.append(command)
        code = struct.unpack_from(">I", command, 6)[0]
        if code in self.garbled:
            return self.garbled[code]
        try:
            return self._reply_to(command)
        except TpmRefusal as refusal:
            return reply(refusal.code)

    def _reply_to(self, command: bytes) -> bytes:
        if struct.unpack_from(">I", command, 2)[0] != len(command):
            return reply(_BAD_SIZE)
        if self.failed:
            return reply(_FAILURE)
        if self.busy:
            self.busy -= 1
            return reply(_RETRY)
        code = struct.unpack_from(">I", command, 6)[0]
        if code == _CLEAR:
            return reply(self._clear(command[10:]))
        if code == _GET_CAPABILITY:
            return reply(0, self._capability(*struct.unpack(">III", command[10:])))
        return self._run(split(command))

    def _run(self, command: Command) -> bytes:
        if _OWNER in command.handles and self.owned:
            raise TpmRefusal(_BAD_OWNER_AUTH)
        match command.code:
            case 0x12A:
                self._define(command.parameters)
            case 0x122:
                self._index(command.handles[1])
                del self.nv[command.handles[1]]
            case 0x169:
                number = int.from_bytes(command.parameters, "big")
                public = self._index(number).public(number)
                return reply(0, sized(public) + sized(b"\0\x0b" + bytes(32)))
            case 0x14E:
                data = self._index(command.handles[1]).read()
                return reply(0, sized(data), sessions=True)
            case 0x137:
                index = self._index(command.handles[1])
                index.write(command.parameters[2:-2], self.memory.ended(command.session))
            case 0x120:
                handle = int.from_bytes(command.parameters, "big")
                if handle in self.persistent:
                    raise TpmRefusal(_TAKEN)
                self.memory.keys[handle] = self.memory.objects[command.handles[1]].secret
                self.persistent.append(handle)
            case _:
                done = self.memory.run(command, self.seed, frozenset(self.persistent))
                return reply(_BAD_COMMAND) if done is None else done
        return reply(0, sessions=True)

    def _define(self, parameters: bytes) -> None:
        # empty password, sized public area: index, algorithm, attributes, policy, size
        number, _algorithm, attributes, length = struct.unpack_from(">IHIH", parameters, 4)
        policy = parameters[16 : 16 + length]
        size = int.from_bytes(parameters[16 + length :], "big")
        if number in self.nv:
            raise TpmRefusal(_TAKEN)
        if len(self.nv) >= self.nv_room:
            raise TpmRefusal(_NV_FULL)
        self.nv[number] = FakeNv(attributes=attributes, policy=policy, size=size)

    def _index(self, number: int) -> FakeNv:
        if number not in self.nv:
            raise TpmRefusal(_NO_HANDLE)
        return self.nv[number]

    def _clear(self, authorization: bytes) -> int:
        if self.clear_disabled:
            return _DISABLED
        if authorization != _AUTHORIZED or self.lockout_password:
            return _AUTH_FAIL
        if not self.ignores_clear:
            self.forget()
        return 0

    def forget(self) -> None:
        self.owned = self.lockout_password = self.clear_disabled = False
        self.persistent = [handle for handle in self.persistent if handle >= 0x81800000]
        self.nv.clear()
        self.memory.keys.clear()
        self.seed += b"'"

    def _capability(self, capability: int, first: int, count: int) -> bytes:
        if capability == _PROPERTIES:
            bits = 0b011 * self.owned | 0b100 * self.lockout_password | 0x100 * self.clear_disabled
            return struct.pack(">BIIII", 0, _PROPERTIES, 1, _PERMANENT, bits)
        found = [handle for handle in self.persistent if handle >= first][:count]
        return struct.pack(f">BII{len(found)}I", 0, _HANDLES, len(found), *found)
