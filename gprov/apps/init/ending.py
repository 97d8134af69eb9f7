"""How a boot ends that does not start the system: a message for a while, then a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from gprov.apps.init.ports import InitPorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.pause import format_duration, wait_or_skip
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS
from gprov.domain.errors import GprovError
from gprov.domain.events import ProcessState


class BootEnding:
    """``release``: unmounts the root and stops its array. ``hold``: how long a message is shown, in seconds; None: the
    default."""

    def __init__(self, ports: InitPorts, release: Callable[[], None], hold: float | None, bus: EventBus) -> None:
        self._ports = ports
        self._release = release
        self._hold = hold
        self._bus = bus

    def give_up(self, reason: str) -> NoReturn:
        """Count a boot failure, show it, and restart after a pause."""
        self._bus.error(reason)
        self._bus.state(ProcessState.INIT_FAILED)
        self._ports.operator.show(reason)
        self._release()
        self._restart_after(reason, self._ports.boot_failures().record_failure(reason))

    def show_error_and_restart(self, error: GprovError, min_seconds: float = 0.0) -> NoReturn:
        """Show the error for a while, then restart: the next boot may find devices that this one did not."""
        self._restart_after(str(error), max(FAILURE_HOLD_SECONDS, min_seconds) if self._hold is None else self._hold)

    def show_result_and_restart(self, text: str) -> NoReturn:
        """Show the final message of a flow until a key is pressed, for a while at most, then restart."""
        self.key_pressed_while_shown(text)
        self.restart()

    def key_pressed_while_shown(self, text: str, *, alarm: bool = False) -> bool:
        """Show a message until a key is pressed, for a while at most. ``alarm``: it is a failure."""
        self._release()
        seconds = FAILURE_HOLD_SECONDS if self._hold is None else self._hold
        self._ports.operator.show(text)
        return self._wait(seconds, alarm=alarm)

    def restart(self) -> NoReturn:
        self._end_output()
        self._ports.power.reboot()

    def power_off(self) -> NoReturn:
        self._release()
        self._end_output()
        self._ports.power.power_off()

    def _end_output(self) -> None:
        """Displays are drawn to the end: theirs stays through the restart."""
        self._bus.close()
        self._ports.operator.close()

    def _wait(self, seconds: float, *, alarm: bool) -> bool:
        ports = self._ports
        during = ports.attention().alarm if alarm else lambda: None
        return wait_or_skip(ports.operator, ports.volumes.clock, seconds, during)

    def _restart_after(self, reason: str, seconds: float) -> NoReturn:
        """A person may cut the pause short; the count of boot failures is then set to zero."""
        self._release()
        pause = f"Restarting in {format_duration(seconds)}; any key: at once"
        self._bus.message(pause)
        self._bus.close()
        # After the message, which would replace the reason on a small display.
        self._ports.operator.show(f"{reason}. {pause}")
        if self._wait(seconds, alarm=True):
            self._ports.boot_failures().reset()
        self._ports.power.reboot()
