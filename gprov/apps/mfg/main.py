"""Provisioning as process 1: run it once; show a failure for a long time, then restart."""

from __future__ import annotations

from gprov.apps.mfg.container import MfgContainer
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import share
from gprov.apps.unit.reporting.pause import format_duration, wait_or_skip
from gprov.domain.boot.args import BootArguments
from gprov.domain.errors import BurnInFailed, GprovError, HardwareMismatch
from gprov.domain.mfg.difference import Difference, difference_text

# In a factory a person sees the display at the latest after a weekend.
HOLD_SECONDS = 48 * 3600.0


def provision(arguments: BootArguments, unit: UnitContainer) -> None:
    """Provision the machine and reboot; never returns. A failure is shown for up to 48 h before the reboot."""
    container = container_for(unit)
    bus = unit.bus()
    try:
        container.provisioning().run()
    except GprovError as error:
        seconds = HOLD_SECONDS if arguments.failure_hold is None else arguments.failure_hold
        pause = f"Provisioning failed; restarting in {format_duration(seconds)}; any key: at once"
        bus.message(pause)
        bus.close()
        # After the message, which would replace it on a small display.
        unit.operator().show("\n".join((f"{error}. {pause}", *_differences(error))))
        wait_or_skip(unit.operator(), unit.clock(), seconds, unit.attention().alarm)
    bus.close()
    # With NO_REBOOT a shell uses the console.
    unit.operator().close()
    unit.power().reboot()


def _differences(error: GprovError) -> tuple[str, ...]:
    """What differs from the specification or the platform table, or exceeds a limit: a display scrolls it."""
    if isinstance(error, BurnInFailed):
        return error.exceeded
    if not isinstance(error, HardwareMismatch):
        return ()
    return tuple(difference_text(one) if isinstance(one, Difference) else str(one) for one in error.differences)


def container_for(unit: UnitContainer) -> MfgContainer:
    """A container with the adapters, branding and platform table of ``unit``, including those that were overridden."""
    container = MfgContainer()
    # The log file of provisioning has a name of its own, unless the log was overridden.
    excluded = () if unit.file_sink_at.overridden else ("file_sink_at",)
    share(UnitContainer, unit, container, but=excluded)
    return container
