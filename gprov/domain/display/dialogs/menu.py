"""Choosing from a menu."""

from __future__ import annotations

from dataclasses import dataclass, replace

from typing_extensions import override

from gprov.domain.display.choice import NoChoice
from gprov.domain.display.dialogs.dialog import Dialog, Ended, edited
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.numbers import numbered
from gprov.domain.display.views import MenuView, View

Choice = int | NoChoice


@dataclass(frozen=True, slots=True)
class MenuDialog(Dialog[Choice]):
    """The answer is an index into ``items``, also that of a spacer (an empty item). UP and DOWN stop at the ends: the
    last item of a menu may be the dangerous one, and is not one UP away from the first. On a console the number of an
    item selects it, too; input that is no number of an item is discarded by ENTER."""

    title: str
    items: tuple[str, ...]
    selected: int = 0
    typed: str = ""

    @property
    @override
    def view(self) -> View:
        return MenuView(self.title, self.items, self.selected, self.typed)

    @override
    def after(self, entered: Input) -> Dialog[Choice] | Ended[Choice]:
        match entered:
            case Typed():
                return self._with_typed(edited(self.typed, entered))
            case Key.UP:
                return self._selecting(self.selected - 1)
            case Key.DOWN:
                return self._selecting(self.selected + 1)
            case Key.EXIT:
                return Ended(NoChoice.LEFT)
            case Key.ENTER:
                return self._entered()
            case Key.LEFT | Key.RIGHT | Key.OTHER:
                return self

    def _selecting(self, index: int) -> MenuDialog:
        return replace(self, selected=min(max(0, index), max(0, len(self.items) - 1)), typed="")

    def _with_typed(self, typed: str) -> MenuDialog:
        index = self._index_of(typed)
        return replace(self, typed=typed, selected=self.selected if index is None else index)

    def _entered(self) -> Dialog[Choice] | Ended[Choice]:
        if not self.items or (self.typed and self._index_of(self.typed) is None):
            return replace(self, typed="")
        return Ended(self.selected)

    def _index_of(self, typed: str) -> int | None:
        """Index of the item with this number."""
        text, indices = typed.strip(), numbered(self.items)
        number = int(text) if text.isascii() and text.isdigit() else 0
        return indices[number - 1] if 1 <= number <= len(indices) else None
