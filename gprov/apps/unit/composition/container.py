"""What the composition roots of all programs on a unit share: adapters, context, bundles of ports and the executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.port_container import PortContainer
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.composition.wiring import factory, itself, singleton
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.apps.unit.reporting.bus import EventBus

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable, Sequence

    from gprov.apps.unit.composition.flow_ports import FlowPorts
    from gprov.apps.unit.execution.burnin.runner import BurnInRunner
    from gprov.apps.unit.execution.destructive_ports import DestructivePorts
    from gprov.apps.unit.execution.erase.machine import MachineEraser
    from gprov.apps.unit.execution.erase.runner import ErasureRunner
    from gprov.apps.unit.execution.executor import Executor, PlanPorts
    from gprov.apps.unit.network.server_trust import TrustPorts
    from gprov.apps.unit.recovery.known_trust import ImageTrustPorts
    from gprov.domain.platform.model import Platform
    from gprov.ports.display import Display, Panel
    from gprov.ports.events import EventSink
    from gprov.ports.operator import Operator
    from gprov.ports.power import Power
    from gprov.ports.ratchets import Ratchets
    from gprov.ports.sealing import SecretSealing


def _platforms() -> tuple[Platform, ...]:
    from gprov.domain.platform.default_table import default_table

    return default_table()


def _bus(unit: UnitContainer) -> EventBus:
    return EventBus(unit.clock())


def _panel(unit: UnitContainer) -> Panel:
    return adapters.panel(clock=unit.clock(), log=unit.console_log(), arguments=unit.arguments(), make_lcd=unit.lcd)


def _shown_views(unit: UnitContainer) -> ShownViews:
    return ShownViews(unit.panel, unit.clock())


def _operator(unit: UnitContainer) -> Operator:
    from gprov.apps.unit.operator.dialog_operator import DialogOperator

    return DialogOperator(unit.shown_views(), unit.clock())


def _display_sink(unit: UnitContainer) -> EventSink:
    from gprov.apps.unit.reporting.display_sink import DisplaySink

    return DisplaySink(unit.shown_views(), unit.clock())


def _lcd(unit: UnitContainer) -> Display:
    return adapters.lcd(
        clock=unit.clock(), background=unit.background(), arguments=unit.arguments(), log=unit.bus().log
    )


def _context(unit: UnitContainer) -> UnitContext:
    return UnitContext(
        branding=unit.branding(),
        mount_points=unit.mount_points(),
        arguments=unit.arguments(),
        bus=unit.bus(),
        load_platforms=unit.platforms,
    )


def _volume_ports(unit: UnitContainer) -> VolumePorts:
    return VolumePorts(
        blocks=unit.blocks(),
        mounts=unit.mounts(),
        files=unit.files(),
        clock=unit.clock(),
        filesystems=unit.filesystems,
        firmware=unit.firmware,
        arrays=unit.arrays,
        code_signatures=unit.code_signatures,
        sealing=unit.sealing,
    )


def _plan_ports(unit: UnitContainer) -> PlanPorts:
    from gprov.apps.unit.execution.executor import PlanPorts

    return PlanPorts(
        blocks=unit.blocks(),
        mounts=unit.mounts(),
        files=unit.files(),
        clock=unit.clock(),
        filesystems=unit.filesystems,
        firmware=unit.firmware,
        arrays=unit.arrays,
        code_signatures=unit.code_signatures,
        sealing=unit.sealing,
        http=unit.http(),
    )


def _destructive_ports(unit: UnitContainer) -> DestructivePorts:
    from gprov.apps.unit.execution.destructive_ports import DestructivePorts

    return DestructivePorts(
        partitioner=unit.partitioner(),
        filesystem_maker=unit.filesystem_maker(),
        array_writer=unit.array_writer(),
        image_unpacker=unit.image_unpacker(),
        variable_writer=unit.variable_writer(),
    )


def _executor(unit: UnitContainer) -> Executor:
    from gprov.apps.unit.execution.executor import Executor

    return Executor(unit.plan_ports(), unit.destructive_ports(), unit.bus())


def _erasure_runner(unit: UnitContainer) -> ErasureRunner:
    from gprov.apps.unit.execution.erase.ports import ErasurePorts
    from gprov.apps.unit.execution.erase.runner import ErasureRunner

    ports = ErasurePorts(
        commands=unit.drive_commands(),
        writer=unit.disk_writer(),
        reader=unit.disk_reader(),
        clock=unit.clock(),
    )
    return ErasureRunner(ports, unit.background())


def _burn_in_runner(unit: UnitContainer) -> BurnInRunner:
    from gprov.apps.unit.execution.burnin.ports import BurnInPorts
    from gprov.apps.unit.execution.burnin.runner import BurnInRunner

    ports = BurnInPorts(
        loads=unit.loads(),
        write_loads=unit.write_loads(),
        sensors=unit.sensors(),
        drives=unit.drive_queries(),
        operator=unit.operator(),
        clock=unit.clock(),
    )
    return BurnInRunner(ports, unit.bus())


def _machine_eraser(unit: UnitContainer) -> MachineEraser:
    from gprov.apps.unit.execution.erase.machine import MachineEraser

    return MachineEraser(
        firmware=unit.firmware(),
        writer=unit.variable_writer(),
        tpm=unit.tpm(),
        blocks=unit.blocks(),
        clock=unit.clock(),
        branding=unit.branding(),
    )


def _sealing(unit: UnitContainer) -> SecretSealing:
    from gprov.apps.unit.execution.tpm.sealing import TpmSealing

    return TpmSealing(unit.tpm(), unit.clock())


def _tpm_ratchets(unit: UnitContainer) -> Ratchets:
    from gprov.apps.unit.execution.tpm.ratchets import TpmRatchets

    return TpmRatchets(unit.tpm(), unit.clock())


def _more_ratchets(unit: UnitContainer) -> Sequence[Ratchets]:
    """Besides those on RECOVERY."""
    return (unit.tpm_ratchets(),) if unit.has_tpm() else ()


def _end_unsealing(unit: UnitContainer) -> Callable[[], None]:
    """Does nothing, and imports nothing, on a machine without a TPM."""

    def end() -> None:
        if unit.has_tpm():
            unit.sealing().end()

    return end


def _shell_power(unit: UnitContainer) -> Power:
    from gprov.adapters.linux.system.shell_power import ShellPower

    return ShellPower(unit.end_unsealing())


def _trust_ports(unit: UnitContainer) -> TrustPorts:
    from gprov.apps.unit.network.server_trust import TrustPorts

    return TrustPorts(store=unit.trust_store, files=unit.files(), clock=unit.clock())


def _image_trust_ports(unit: UnitContainer) -> ImageTrustPorts:
    from gprov.apps.unit.recovery.known_trust import ImageTrustPorts

    return ImageTrustPorts(files=unit.files(), verifier=unit.signature_verifier, ratchets=unit.more_ratchets)


def _flow_ports(unit: UnitContainer) -> FlowPorts:
    from gprov.apps.unit.composition.flow_ports import FlowPorts

    return FlowPorts(
        volumes=unit.volume_ports(),
        executor=unit.executor(),
        smbios=unit.smbios(),
        network=unit.network(),
        trust=unit.trust_ports(),
        image_trust=unit.image_trust_ports(),
        background=unit.background(),
        telemetry_at=unit.telemetry_at(),
        session_access_at=unit.session_access_at(),
        sink_for=unit.sink_for(),
        file_sink_at=unit.file_sink_at(),
    )


class UnitContainer(PortContainer):
    """A provider has the return type of its function."""

    platforms = singleton(_platforms)
    bus = singleton(_bus, itself)
    panel = singleton(_panel, itself)
    shown_views = singleton(_shown_views, itself)
    operator = singleton(_operator, itself)
    display_sink = factory(_display_sink, itself)
    lcd = factory(_lcd, itself)
    context = factory(_context, itself)
    sealing = singleton(_sealing, itself)
    tpm_ratchets = singleton(_tpm_ratchets, itself)
    more_ratchets = factory(_more_ratchets, itself)
    end_unsealing = factory(_end_unsealing, itself)
    shell_power = singleton(_shell_power, itself)
    volume_ports = factory(_volume_ports, itself)
    plan_ports = factory(_plan_ports, itself)
    destructive_ports = factory(_destructive_ports, itself)
    trust_ports = factory(_trust_ports, itself)
    image_trust_ports = factory(_image_trust_ports, itself)
    executor = factory(_executor, itself)
    erasure_runner = factory(_erasure_runner, itself)
    burn_in_runner = factory(_burn_in_runner, itself)
    machine_eraser = factory(_machine_eraser, itself)
    flow_ports = factory(_flow_ports, itself)
