"""Mistakes in wiring are type errors. Each line with an ``ignore`` is one: ``make lint`` fails when mypy no longer sees
it, since an ignore that nothing needs is an error too (``warn_unused_ignores``). Nothing here needs to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from gprov.apps.init.container import InitContainer
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import (
    Container,
    Declaration,
    Provider,
    deferred,
    factory,
    inject,
    override,
    set_value,
    singleton,
    value,
    wrap,
)

if TYPE_CHECKING:
    from dependency_injector import providers

    from gprov.adapters.linux.disk.block import SysfsBlockDevices
    from gprov.adapters.linux.filesystem.mounts import LinuxMounts
    from gprov.apps.init.ports import InitPorts, RestoreFlow
    from gprov.apps.unit.composition.volume_ports import VolumePorts
    from gprov.apps.unit.execution.executor import PlanPorts
    from gprov.ports.archive import Archives
    from gprov.ports.arrays import Arrays
    from gprov.ports.block import BlockDevices
    from gprov.ports.clock import Clock
    from gprov.ports.destructive.image_unpacker import ImageUnpacker
    from gprov.ports.filesystem import FileSystems, Mounts

    class Logging(SysfsBlockDevices):
        def __init__(self, original: BlockDevices) -> None: ...

    def not_mounts() -> Mounts:
        from gprov.adapters.linux.filesystem.tools import LinuxFileSystems

        return LinuxFileSystems(UnitContainer().processes())  # type: ignore[return-value]

    class Swapped(UnitContainer):
        """Two providers exchanged, by name and in their order."""

        volume_ports = factory(
            VolumePorts,
            arrays=deferred(UnitContainer.arrays),
            blocks=inject(UnitContainer.blocks),
            filesystems=inject(UnitContainer.mounts),  # type: ignore[arg-type]
            mounts=inject(UnitContainer.filesystems),  # type: ignore[arg-type]
            files=inject(UnitContainer.files),
            clock=inject(UnitContainer.firmware),  # type: ignore[arg-type]
            firmware=inject(UnitContainer.clock),  # type: ignore[arg-type]
        )
        positional_ports = factory(
            VolumePorts,  # type: ignore[call-arg]
            inject(UnitContainer.blocks),
            inject(UnitContainer.mounts),
            inject(UnitContainer.files),
            inject(UnitContainer.filesystems),
            inject(UnitContainer.firmware),
            inject(UnitContainer.clock),
            deferred(UnitContainer.arrays),
        )
        mounts = UnitContainer.filesystems  # type: ignore[assignment]
        clock: Declaration[Clock] = singleton(not_mounts)  # type: ignore[arg-type]

    class Forgotten(UnitContainer):
        """``inject`` or ``deferred`` left out, the one taken for the other, an argument that nobody gives."""

        volume_ports = factory(
            VolumePorts,
            blocks=UnitContainer.blocks,  # type: ignore[arg-type]
            mounts=inject(UnitContainer.mounts),
            files=deferred(UnitContainer.files),  # type: ignore[arg-type]
            filesystems=inject(UnitContainer.filesystems),
            firmware=inject(UnitContainer.firmware),
            clock=inject(UnitContainer.clock),
            arrays=UnitContainer.arrays,  # type: ignore[arg-type]
        )
        other_ports = factory(
            InitPorts,  # type: ignore[call-arg]
            volumes=inject(UnitContainer.volume_ports),
            operator=inject(UnitContainer.operator),
            power=inject(UnitContainer.power),
        )

    def what_is_put_in_must_be_of_the_port() -> None:
        container = InitContainer()
        container.blocks.override(providers.Object("not block devices"))  # type: ignore[attr-defined]
        InitContainer.blocks.override(providers.Object("not block devices"))  # type: ignore[attr-defined]
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

    class Kept(Container):
        one = value(1)
        two = singleton(str, inject(one))

    assert_type(Kept().two(), str)
