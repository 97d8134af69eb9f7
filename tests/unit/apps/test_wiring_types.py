"""Mistakes in wiring are type errors. Each line with an ``ignore`` is one: ``make lint`` fails if mypy does not report
it, since an unneeded ignore is an error too (``warn_unused_ignores``). Nothing here runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from gprov.apps.init.container import InitContainer
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import Provider, factory, itself, override, set_value, singleton, wrap

if TYPE_CHECKING:
    from dependency_injector import providers

    from gprov.adapters.linux.disk.block import SysfsBlockDevices
    from gprov.adapters.linux.filesystem.mounts import LinuxMounts
    from gprov.apps.init.ports import InitPorts, RestoreFlow
    from gprov.apps.mfg.container import MfgContainer
    from gprov.apps.server.container import ServerContainer
    from gprov.apps.server.store.recording import Store
    from gprov.apps.unit.composition.flow_ports import FlowPorts
    from gprov.apps.unit.composition.volume_ports import VolumePorts
    from gprov.apps.unit.execution.destructive_ports import DestructivePorts
    from gprov.apps.unit.execution.executor import PlanPorts
    from gprov.ports.archive import Archives
    from gprov.ports.arrays import Arrays
    from gprov.ports.block import BlockDevices
    from gprov.ports.destructive.image_unpacker import ImageUnpacker
    from gprov.ports.filesystem import FileSystems, Mounts

    class Logging(SysfsBlockDevices):
        def __init__(self, original: BlockDevices) -> None: ...

    def not_mounts() -> Mounts:
        from gprov.adapters.linux.filesystem.tools import LinuxFileSystems

        return LinuxFileSystems(UnitContainer().processes())  # type: ignore[return-value]

    def exchanged_by_name(unit: UnitContainer) -> VolumePorts:
        return VolumePorts(
            blocks=unit.blocks(),
            filesystems=unit.firmware,  # type: ignore[arg-type]
            mounts=unit.files(),  # type: ignore[arg-type]
            files=unit.mounts(),  # type: ignore[arg-type]
            clock=unit.blocks(),  # type: ignore[arg-type]
            firmware=unit.filesystems,  # type: ignore[arg-type]
            arrays=unit.arrays,
            code_signatures=unit.code_signatures,
            sealing=unit.tpm,  # type: ignore[arg-type]
        )

    def exchanged_in_a_lazily_imported_class(unit: UnitContainer) -> PlanPorts:
        from gprov.apps.unit.execution.executor import PlanPorts as Lazy

        return Lazy(
            blocks=unit.blocks(),
            filesystems=unit.firmware,  # type: ignore[arg-type]
            mounts=unit.files(),  # type: ignore[arg-type]
            files=unit.mounts(),  # type: ignore[arg-type]
            clock=unit.blocks(),  # type: ignore[arg-type]
            firmware=unit.filesystems,  # type: ignore[arg-type]
            arrays=unit.arrays,
            code_signatures=unit.code_signatures,
            sealing=unit.sealing,
            http=unit.network(),  # type: ignore[arg-type]
        )

    def exchanged_destructive_ports(unit: UnitContainer) -> DestructivePorts:
        from gprov.apps.unit.execution.destructive_ports import DestructivePorts as Lazy

        return Lazy(
            partitioner=unit.filesystem_maker(),  # type: ignore[arg-type]
            filesystem_maker=unit.partitioner(),  # type: ignore[arg-type]
            array_writer=unit.arrays(),  # type: ignore[arg-type]
            image_unpacker=unit.archives(),  # type: ignore[arg-type]
            variable_writer=unit.firmware(),  # type: ignore[arg-type]
        )

    def exchanged_servers(unit: MfgContainer) -> FlowPorts:
        return FlowPorts(
            volumes=unit.volume_ports(),
            executor=unit.executor(),
            smbios=unit.smbios(),
            network=unit.network(),
            trust=unit.trust_ports(),
            image_trust=unit.image_trust_ports(),
            background=unit.background(),
            telemetry_at=unit.credential_store_at(),  # type: ignore[arg-type]
            session_access_at=unit.session_access_at(),
            sink_for=unit.file_sink_at(),  # type: ignore[arg-type]
            file_sink_at=unit.sink_for(),  # type: ignore[arg-type]
        )

    def exchanged_by_place(unit: UnitContainer) -> VolumePorts:
        return VolumePorts(  # type: ignore[call-arg]
            unit.blocks(),
            unit.mounts(),
            unit.files(),
            unit.clock(),
            unit.filesystems,
            unit.firmware,
            unit.arrays,
            unit.sealing,
            unit.code_signatures,
        )

    def not_called_or_called_too_early(unit: UnitContainer) -> VolumePorts:
        return VolumePorts(
            blocks=unit.blocks,  # type: ignore[arg-type]
            mounts=unit.mounts(),
            files=unit.files(),
            filesystems=unit.filesystems(),  # type: ignore[arg-type]
            firmware=unit.firmware(),  # type: ignore[arg-type]
            clock=unit.clock(),
            arrays=unit.arrays(),  # type: ignore[arg-type]
            code_signatures=unit.code_signatures,
            sealing=unit.sealing(),  # type: ignore[arg-type]
        )

    def incomplete(unit: InitContainer) -> InitPorts:
        return InitPorts(  # type: ignore[call-arg]
            volumes=unit.volume_ports(),
            operator=unit.operator(),
            power=unit.power(),
        )

    def exchanged_in_the_server(server: ServerContainer) -> Store:
        return Store(server.database(), server.logs(), server.now(), server.settings().documents, strict=True)  # type: ignore[arg-type]

    def of_a_class(_unit: UnitContainer) -> BlockDevices:
        return UnitContainer.blocks()  # type: ignore[operator, no-any-return]

    def of_another_container(init: InitContainer) -> RestoreFlow:
        return init.restore()

    class Exchanged(UnitContainer):
        mounts = UnitContainer.filesystems  # type: ignore[assignment]
        filesystems = UnitContainer.mounts  # type: ignore[assignment]
        clock = UnitContainer.firmware  # type: ignore[assignment]
        firmware = UnitContainer.clock  # type: ignore[assignment]
        blocks = singleton(not_mounts)  # type: ignore[assignment]
        early = factory(of_another_container, itself)
        forgotten = factory(exchanged_by_name)  # type: ignore[arg-type]
        needless = singleton(not_mounts, itself)  # type: ignore[arg-type, var-annotated]

    def of_the_wrong_container() -> None:
        Exchanged().early()  # type: ignore[call-overload]

    def what_is_put_in_must_be_of_the_port() -> None:
        container = InitContainer()
        container.blocks.override(providers.Object("not block devices"))  # type: ignore[attr-defined]
        InitContainer.blocks.override(providers.Object("not block devices"))  # type: ignore[attr-defined]
        InitContainer(blocks=providers.Object("not block devices"))  # type: ignore[call-arg]
        container.override_providers(blocks="not block devices")  # type: ignore[attr-defined]
        set_value(container.blocks, "not block devices")  # type: ignore[misc]
        set_value(container.blocks, container.mounts())  # type: ignore[misc]
        override(container.blocks, lambda: "not block devices")  # type: ignore[arg-type, return-value]
        override(container.blocks, container.mounts)  # type: ignore[arg-type]
        wrap(container.blocks, lambda original: str(original))  # type: ignore[arg-type, return-value]
        wrap(container.mounts, Logging)  # type: ignore[arg-type]
        set_value(InitContainer.platforms, [])  # type: ignore[misc]

    def what_comes_out_has_the_type_of_the_port(container: InitContainer) -> None:
        assert_type(container.blocks, Provider[BlockDevices])
        assert_type(container.blocks(), BlockDevices)
        assert_type(container.mounts(), Mounts)
        assert_type(container.filesystems(), FileSystems)
        assert_type(container.plan_ports(), PlanPorts)
        assert_type(container.plan_ports().arrays(), Arrays)
        assert_type(container.image_unpacker(), ImageUnpacker)
        assert_type(container.archives(), Archives)
        print(container.archives().extract)  # type: ignore[attr-defined]
        print(container.filesystems().make)  # type: ignore[attr-defined]
        assert_type(container.restore(), RestoreFlow)
        wrap(container.blocks, lambda original: Logging(assert_type(original, BlockDevices)))
        set_value(container.mounts, LinuxMounts())
        container.block()  # type: ignore[attr-defined]
        InitContainer.blocks()  # type: ignore[operator]
