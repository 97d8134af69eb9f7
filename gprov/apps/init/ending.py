"""How a boot ends that does not start the system: a message for a while, then a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from gprov.apps.init.ports import InitPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.pause import PauseEnd, format_duration, wait_or_skip
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS
from gprov.domain.errors import GprovError
from gprov.domain.events import ProcessState

FILES_FOUND = "Emergency file found: restarting"


class BootEnding:
    """``release``: unmounts the root and stops its array."""

    def __init__(self, ports: InitPorts, release: Callable[[], None], context: UnitContext) -> None:
        self._ports = ports
        self._release = release
        self._context = context
        self._hold = context.arguments.failure_hold
        self._bus = context.bus

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
        during = self._ports.attention().alarm if alarm else lambda: None
        end = wait_or_skip(self._ports.operator, self._ports.volumes.clock, seconds, during)
        return end is PauseEnd.PERSON

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

    def _restart_after(self, reason: str, seconds: float) -> NoReturn:
        """A person may cut the pause short with a key, and the count of boot failures is then set to zero; or with
        emergency media, which the next start uses."""
        self._release()
        pause = f"Restarting in {format_duration(seconds)}; any key: at once"
        self._bus.message(pause)
        self._bus.close()
        # After the message, which would replace the reason on a small display.
        self._ports.operator.show(f"{reason}. {pause}")
        from gprov.apps.init.plugged_in import plugged_in_media

        ports = self._ports
        with plugged_in_media(ports.volumes, ports.media_search, self._context) as media:
            end = wait_or_skip(ports.operator, ports.volumes.clock, seconds, ports.attention().alarm, media.wait)
        match end:
            case PauseEnd.PERSON:
                ports.boot_failures().reset()
            case PauseEnd.EVENT:
                ports.operator.show(FILES_FOUND)
            case PauseEnd.TIME:
                pass
        ports.power.reboot()
