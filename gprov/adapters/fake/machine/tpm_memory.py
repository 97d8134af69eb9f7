"""PCRs, objects, sessions and non-volatile indices of a simulated TPM."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.tpm_wire import Command, TpmRefusal, reply, sized, take_sized

_POLICY_WRITE, _AUTH_READ, _WRITTEN = 1 << 3, 1 << 18, 1 << 29
_POLICY_FAIL, _INTEGRITY, _BAD_HANDLE, _UNWRITTEN, _NV_AUTHORIZATION, _AUTH_TYPE = (
    0x99D,
    0x1DF,
    0x18B,
    0x14A,
    0x149,
    0x124,
)
_POLICY_PCR = 0x17F
_KEY, _DATA = 0x80000000, 0x80000001
_SHA256_PCRS = bytes.fromhex("00000001 000b 03")


@dataclass(kw_only=True)
class FakeNv:
    attributes: int
    policy: bytes
    size: int
    data: bytes = b""

    def public(self, number: int) -> bytes:
        return struct.pack(">IHI", number, 0x0B, self.attributes) + sized(self.policy) + struct.pack(">H", self.size)

    def read(self) -> bytes:
        if not self.attributes & _AUTH_READ:
            raise TpmRefusal(_NV_AUTHORIZATION)
        if not self.attributes & _WRITTEN:
            raise TpmRefusal(_UNWRITTEN)
        return self.data

    def write(self, data: bytes, policy: bytes) -> None:
        """``policy``: what the session has."""
        if not self.attributes & _POLICY_WRITE:
            raise TpmRefusal(_NV_AUTHORIZATION)
        if policy != self.policy:
            raise TpmRefusal(_POLICY_FAIL)
        self.data, self.attributes = data, self.attributes | _WRITTEN


@dataclass(frozen=True)
class FakeObject:
    """A key: ``secret`` is what it derives. Sealed data: ``secret`` is the data."""

    secret: bytes
    policy: bytes = b""


@dataclass
class FakeTpmMemory:
    """``keys``: of persistent objects that were made by this TPM, which a start does not reset."""

    keys: dict[int, bytes] = field(default_factory=dict)
    pcrs: dict[int, bytes] = field(default_factory=lambda: {number: bytes(32) for number in range(24)})
    objects: dict[int, FakeObject] = field(default_factory=dict)
    sessions: dict[int, bytes] = field(default_factory=dict)

    def flush(self) -> None:
        self.objects.clear()
        self.sessions.clear()

    def ended(self, session: int | None) -> bytes:
        """Policy of a session. It does not end here: a closed device removes it, and a command does if it succeeds."""
        if session is None or session not in self.sessions:
            raise TpmRefusal(_AUTH_TYPE)
        return self.sessions[session]

    def run(self, command: Command, seed: bytes, persistent: frozenset[int]) -> bytes | None:
        """None: no such command."""
        match command.code:
            case 0x131:
                return self._add_object(_KEY, FakeObject(hashlib.sha256(seed + command.parameters).digest()))
            case 0x153:
                return self._create(self._key(command.handles[0], persistent), command.parameters)
            case 0x157:
                return self._load(self._key(command.handles[0], persistent), command.parameters)
            case 0x15E:
                return self._unseal(command)
            case 0x165:
                self._forget(int.from_bytes(command.parameters, "big"))
                return reply(0)
            case _:
                return self._run_policy(command)

    def _run_policy(self, command: Command) -> bytes | None:
        match command.code:
            case 0x176:
                handle = 0x03000000 + len(self.sessions)
                self.sessions[handle] = bytes(32)
                return reply(0, struct.pack(">I", handle) + sized(bytes(16)))
            case 0x17F:
                self._policy_pcr(command.parameters)
                return reply(0)
            case 0x17E:
                return reply(0, self._read_pcrs(command.parameters))
            case 0x182:
                [number], digest = command.handles, command.parameters[6:]
                self.pcrs[number] = hashlib.sha256(self.pcrs[number] + digest).digest()
                return reply(0, sessions=True)
            case _:
                return None

    def _key(self, handle: int, persistent: frozenset[int]) -> bytes:
        if handle in self.objects:
            return self.objects[handle].secret
        if handle not in persistent:
            raise TpmRefusal(_BAD_HANDLE)
        return self.keys.get(handle, b"a key of others")

    def _add_object(self, handle: int, item: FakeObject) -> bytes:
        self.objects[handle] = item
        return reply(0, sized(b""), handle=handle, sessions=True)

    def _create(self, key: bytes, parameters: bytes) -> bytes:
        sensitive, rest = take_sized(parameters)
        data = take_sized(sensitive[2:])[0]
        public = take_sized(rest)[0]
        tag = hmac.digest(key, public + data, "sha256")
        return reply(0, sized(tag + _masked(data, key)) + sized(public), sessions=True)

    def _load(self, key: bytes, parameters: bytes) -> bytes:
        private, rest = take_sized(parameters)
        public = take_sized(rest)[0]
        data = _masked(private[32:], key)
        if not hmac.compare_digest(private[:32], hmac.digest(key, public + data, "sha256")):
            raise TpmRefusal(_INTEGRITY)
        # type, algorithm, attributes, policy
        return self._add_object(_DATA, FakeObject(data, take_sized(public[8:])[0]))

    def _unseal(self, command: Command) -> bytes:
        item = self.objects[command.handles[0]]
        if self.ended(command.session) != item.policy:
            raise TpmRefusal(_POLICY_FAIL)
        return reply(0, sized(item.secret), sessions=True)

    def _forget(self, handle: int) -> None:
        if self.objects.pop(handle, None) is None and self.sessions.pop(handle, None) is None:
            raise TpmRefusal(_BAD_HANDLE)

    def _policy_pcr(self, parameters: bytes) -> None:
        session, selection = int.from_bytes(parameters[:4], "big"), parameters[6:]
        values = hashlib.sha256(b"".join(self.pcrs[number] for number in _selected(selection))).digest()
        step = struct.pack(">I", _POLICY_PCR) + selection + values
        self.sessions[session] = hashlib.sha256(self.sessions[session] + step).digest()

    def _read_pcrs(self, selection: bytes) -> bytes:
        values = b"".join(sized(self.pcrs[number]) for number in _selected(selection))
        return struct.pack(">I", 0) + selection + struct.pack(">I", len(_selected(selection))) + values


def _selected(selection: bytes) -> list[int]:
    if not selection.startswith(_SHA256_PCRS):
        raise TpmRefusal(0x1D5)
    bits = int.from_bytes(selection[7:], "little")
    return [number for number in range(24) if bits >> number & 1]


def _masked(data: bytes, key: bytes) -> bytes:
    stream = b"".join(hashlib.sha256(key + bytes([block])).digest() for block in range(1 + len(data) // 32))
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))
