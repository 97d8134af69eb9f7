"""Operator port over a panel: dialogs on all displays and consoles of the unit; whichever key comes first counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.domain.display.choice import NoChoice
from gprov.ports.clock import Clock, Deadline
from gprov.ports.operator import Operator

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.display.dialogs.dialog import Dialog, Ended
    from gprov.domain.platform.model import Lcd
    from gprov.domain.unit.credentials import Secret

Answer = TypeVar("Answer")


class DialogOperator(Operator):
    """Modules of dialogs are imported when one opens: a normal boot shows none."""

    def __init__(self, views: ShownViews, clock: Clock) -> None:
        self._views = views
        self._clock = clock

    @property
    @override
    def is_present(self) -> bool:
        return self._views.panel.is_present

    @property
    @override
    def lcd(self) -> Lcd:
        return self._views.panel.lcd

    @override
    def show(self, text: str) -> None:
        from gprov.domain.display.views import MessageView

        # A message may offer something to any key: those from before are not meant for it.
        self._views.panel.discard_input()
        self._views.show_message(MessageView(text))

    @override
    def show_key_window(self, text: str, seconds: float) -> None:
        from gprov.domain.display.views import KeyWindowView

        self._views.show_key_window(KeyWindowView(text, seconds))

    @override
    def key_pressed(self, seconds: float) -> bool:
        return self._views.panel.read(seconds) is not None

    @override
    def choose(self, title: str, items: Sequence[str], seconds: float) -> int | NoChoice:
        from gprov.domain.display.dialogs.menu import MenuDialog

        ended = self._run(MenuDialog(title, tuple(items)), seconds)
        return NoChoice.TIMEOUT if ended is None else ended.answer

    @override
    def confirm(self, question: str, seconds: float) -> bool:
        from gprov.domain.display.dialogs.question import QuestionDialog

        ended = self._run(QuestionDialog(question), seconds)
        return ended is not None and ended.answer

    @override
    def ask_secret(self, prompt: str, seconds: float) -> Secret | None:
        from gprov.domain.display.dialogs.password import PasswordDialog

        ended = self._run(PasswordDialog(prompt), seconds)
        return None if ended is None else ended.answer

    @override
    def close(self) -> None:
        self._views.close()

    def _run(self, dialog: Dialog[Answer], seconds: float) -> Ended[Answer] | None:
        """None: it did not end within ``seconds``. Input from before the dialog was shown has no effect."""
        from gprov.domain.display.dialogs.dialog import Ended

        panel, deadline = self._views.panel, Deadline(self._clock, seconds)
        panel.discard_input()
        with self._views.dialog(dialog.view) as show:
            while not deadline.passed:
                entered = panel.read(deadline.remaining)
                if entered is None:
                    continue
                state = dialog.after(entered)
                if isinstance(state, Ended):
                    return state
                dialog = state
                show(dialog.view)
        return None
