"""Configuration tools of the simulated machine."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.domain.errors import ToolFailed, ToolLocked, ToolMissing
from gprov.domain.mfg.config_tool import Change, StorageMode, ToolAbility, ToolFacts
from gprov.domain.unit.credentials import Secret
from gprov.ports.config_tool import ConfigTools


class FakeConfigTools(ConfigTools):
    """The tools are the keys of ``SimulatedMachine.setups``. Changes take effect at the next restart, but for the
    password; power cuts happen before each."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def installed(self, program: str) -> bool:
        return program in self._machine.setups

    @override
    def probe(self, program: str) -> ToolFacts:
        return ToolFacts(f"{program} (simulated)", self._setup(program).abilities)

    @override
    def storage_mode(self, program: str) -> StorageMode:
        return self._able(program, ToolAbility.STORAGE).storage

    @override
    def set_storage_mode(self, program: str, mode: StorageMode, unlock: Secret | None) -> Change:
        setup = self._unlocked(program, ToolAbility.STORAGE, unlock)
        if (setup.pending_storage or setup.storage) is mode:
            return Change(changed=False, restart=setup.pending_storage is not None)
        self._machine.begin_write(f"{program} set storage {mode.value}")
        setup.pending_storage = mode
        return Change(changed=True, restart=True)

    @override
    def apply(self, program: str, settings: str, unlock: Secret | None) -> Change:
        setup = self._unlocked(program, ToolAbility.SETTINGS, unlock)
        content = FakeFiles(self._machine).read(settings)
        if content == (setup.settings if setup.pending_settings is None else setup.pending_settings):
            return Change(changed=False, restart=setup.pending_settings is not None)
        self._machine.begin_write(f"{program} apply {settings}")
        setup.pending_settings = content
        return Change(changed=True, restart=True)

    @override
    def set_password(self, program: str, password: Secret, unlock: Secret | None) -> Change:
        setup = self._unlocked(program, ToolAbility.PASSWORD, unlock)
        if setup.password == password.reveal():
            return Change(changed=False)
        self._machine.begin_write(f"{program} set-password")
        setup.password = password.reveal()
        return Change(changed=True)

    def _setup(self, program: str) -> FakeSetup:
        self._machine.begin_read(program)
        if program not in self._machine.setups:
            raise ToolMissing(program)
        return self._machine.setups[program]

    def _able(self, program: str, ability: ToolAbility) -> FakeSetup:
        setup = self._setup(program)
        if ability not in setup.abilities:
            raise ToolFailed(program, f"cannot do {ability.value}")
        return setup

    def _unlocked(self, program: str, ability: ToolAbility, unlock: Secret | None) -> FakeSetup:
        setup = self._able(program, ability)
        if setup.password and (unlock is None or unlock.reveal() != setup.password):
            raise ToolLocked(program, "the setup has a password, and none or another one was given")
        return setup
