"""A data erase during a boot: begun, continued after a power cut, or its failure shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from gprov.apps.init.ending import BootEnding
from gprov.apps.init.ports import InitPorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boot_request import EraseRequested
from gprov.domain.erase.result import EraseResult
from gprov.domain.errors import EraseUnfinished, GprovError

EARLIER_FAILURE = "An earlier data erase of this unit FAILED; nothing is tried again"


class BootErase:
    """``release``: unmounts the root and stops its array."""

    def __init__(self, ports: InitPorts, ending: BootEnding, release: Callable[[], None], bus: EventBus) -> None:
        self._ports = ports
        self._ending = ending
        self._release = release
        self._bus = bus

    def run(
        self,
        *,
        confirmed: bool = False,
        request: EraseRequested | None = None,
        on_failure: Callable[[str], None] | None = None,
    ) -> NoReturn:
        """``confirmed``: a person confirmed it in the boot menu. ``request``: the running system requested it;
        ``on_failure`` gets the reason if it was not carried out."""
        self._release()
        try:
            result = self._ports.erase().run(confirmed=confirmed, request=request)
        except GprovError as error:
            if on_failure is not None:
                on_failure(str(error))
            # Counted: an erase that RECOVERY cannot record would otherwise be tried again at once, for ever.
            self._ending.give_up(str(error))
        if on_failure is not None and result is not EraseResult.ERASED:
            on_failure(f"the data erase was {result.value}")
        self._ending.show_result_and_restart(f"Data erase: {result.value}")

    def follow_record(self, given_up: str = "") -> bool:
        """Go on with the erase that was interrupted or has failed, by its record on RECOVERY. Returns True only if a
        person wants the boot menu; False if there is no such erase, or if that is not known. ``given_up``: why the boot
        is given up, for the log."""
        self._release()
        try:
            self._ports.erase().check_unfinished()
        except EraseUnfinished as unfinished:
            if given_up:
                self._bus.error(given_up)
            self.go_on(unfinished)
            return True
        except GprovError as error:
            self._bus.log(f"whether a data erase is unfinished is not known: {error}")
        return False

    def go_on(self, unfinished: EraseUnfinished) -> None:
        """Continue an erase that was interrupted. Returns as ``show_failure``."""
        if not unfinished.summary:
            self.run()
        self.show_failure(str(unfinished))

    def show_failure(self, text: str = EARLIER_FAILURE) -> None:
        """An earlier erase failed. Returns if a person wants the boot menu, where a restore or another erase can be
        chosen; else the unit restarts."""
        self._bus.error(text)
        if not self._ending.key_pressed_while_shown(f"{text}. Any key: boot menu", alarm=True):
            self._ending.restart()
