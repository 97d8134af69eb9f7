"""Runs the stages of a unit: provision, restore, boot. Each stage is one start of its machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from gprov.apps.host.lab.factory import LabFactory, factory_for
from gprov.apps.host.lab.machine import NO_TIMER_CHECK, DirectKernel
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED, Expectation, StageResult, StageRunner
from gprov.apps.host.lab.stepfiles import STATION, STATION_VALUE
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import remove_flag
from gprov.domain.boot.args import LCD_MANUFACTURER_ARGUMENT
from gprov.domain.branding import Branding
from gprov.domain.events import ProcessState
from gprov.ports.process import Processes

PROVISION = "provision"
RESTORE = "restore"
BOOT = "boot"

# Deadlines for emulated processors on a busy host.
_PROVISION_SECONDS = 600.0
_RESTORE_SECONDS = 600.0
_BOOT_SECONDS = 300.0

# Verbose output and no waiting for an operator. Provisioning copies these arguments into the boot entries; arguments of
# the kernel itself only from PROVISION_BOOT_ARGS.
UNIT_ARGUMENTS = (
    "console=ttyS0",
    "PROVISION_VERBOSE=1",
    "PROVISION_KEY_WINDOW=0",
    "PROVISION_FAILURE_HOLD=5",
    f"{STATION}={STATION_VALUE}",
    NO_TIMER_CHECK,
    f'PROVISION_BOOT_ARGS="panic=5 oops=panic {NO_TIMER_CHECK}"',
)

# QEMU's serial adapters, one of which has the display.
_LCD_ARGUMENT = f"{Branding().environment_prefix}{LCD_MANUFACTURER_ARGUMENT}=QEMU"

PROVISIONED = Expectation(
    Ending.RESET,
    (INIT_STARTED, ProcessState.MFG_STARTED.value, ProcessState.MFG_SUCCEEDED.value),
    _PROVISION_SECONDS,
)
RESTORED = Expectation(
    Ending.RESET,
    (INIT_STARTED, ProcessState.FR_STARTED.value, ProcessState.FR_SUCCEEDED.value),
    _RESTORE_SECONDS,
)
RESTORE_FAILED = Expectation(
    Ending.RESET,
    (INIT_STARTED, ProcessState.FR_STARTED.value, ProcessState.FR_FAILED.value),
    _RESTORE_SECONDS,
)
STARTED = Expectation(Ending.POWER_OFF, (INIT_STARTED, HANDOVER), _BOOT_SECONDS, verdict="multi-user")


class Lab:
    """Use cases of ``gprov lab``, except its console. ``products`` is called only before provisioning."""

    def __init__(self, processes: Processes, stages: StageRunner, products: Callable[[], Products]) -> None:
        self._processes = processes
        self._stages = stages
        self._products = products

    def lifecycle(self, folder: str, spec: VirtualUnitSpec) -> tuple[VirtualUnit, tuple[StageResult, ...]]:
        """Provision, restore and boot a new unit. Stops at the first stage that fails."""
        products = self._products()
        unit = VirtualUnit.create(folder, spec, self._processes, products.certificate)
        with self._factory(unit) as factory:
            results = [self._provision(unit, factory, products)]
            for stage in (self._restore, self._boot):
                if results[-1].passed:
                    results.append(stage(unit, factory))
        return unit, tuple(results)

    def provision(self, folder: str, spec: VirtualUnitSpec) -> tuple[VirtualUnit, StageResult]:
        """Create and provision a unit."""
        products = self._products()
        unit = VirtualUnit.create(folder, spec, self._processes, products.certificate)
        with self._factory(unit) as factory:
            return unit, self._provision(unit, factory, products)

    def restore(self, unit: VirtualUnit) -> StageResult:
        """Remove the flag file and restore the unit."""
        remove_flag(self._processes, unit)
        with self._factory(unit) as factory:
            return self._restore(unit, factory)

    def boot(self, unit: VirtualUnit) -> StageResult:
        with self._factory(unit) as factory:
            return self._boot(unit, factory)

    def _provision(self, unit: VirtualUnit, factory: LabFactory, products: Products) -> StageResult:
        machine = factory.machine(unit)
        if unit.spec.netboot:
            factory.server.publish(products.published() | products.netbooted(), unit.spec)
        else:
            factory.server.publish(products.published(), unit.spec)
            token = factory.server.token(self._processes, unit.spec.serial)
            arguments = (*factory.server.arguments, *token, *_arguments(unit))
            machine = machine.booting(DirectKernel(products.provision_kernel, arguments))
        return self._stages.run(PROVISION, machine, unit.serial_log(PROVISION), PROVISIONED)

    def _restore(self, unit: VirtualUnit, factory: LabFactory) -> StageResult:
        return self._stages.run(RESTORE, factory.machine(unit), unit.serial_log(RESTORE), RESTORED)

    def _boot(self, unit: VirtualUnit, factory: LabFactory) -> StageResult:
        return self._stages.run(BOOT, factory.machine(unit), unit.serial_log(BOOT), STARTED)

    def _factory(self, unit: VirtualUnit) -> AbstractContextManager[LabFactory]:
        return factory_for(self._processes, unit, " ".join(_arguments(unit)))


def _arguments(unit: VirtualUnit) -> tuple[str, ...]:
    return UNIT_ARGUMENTS if unit.spec.lcd is None else (*UNIT_ARGUMENTS, _LCD_ARGUMENT)
