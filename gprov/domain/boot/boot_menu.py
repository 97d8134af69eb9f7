"""The boot menu as a pure state machine.

The flow shows ``prompt(state)``, passes the answer to ``after_choice`` or ``after_confirmation``, and repeats until the
state is an outcome. Timeouts and noise on a serial line end the menu after a limited number of rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.decisions import Erase, Restore, RestoreReason
from gprov.domain.display.choice import NoChoice
from gprov.domain.erase.consequence import CONSEQUENCE, SECOND_SECONDS

MENU_SECONDS = 300.0
CONFIRM_SECONDS = 60.0
_IDLE_LIMIT = 2
_ROUND_LIMIT = 20

TITLE = "Boot menu"


class Item(Enum):
    """Lines of the menu, in order; the values are the displayed texts."""

    RESUME = "Resume normal boot"
    POWER_OFF = "Power off"
    RESTORE_LATEST = "Factory Restore to latest image"
    RESTORE_OLDEST = "Factory Restore to original image"
    RESTORE_CHOSEN = "Factory Restore (choose image)"
    ERASE = "Data Erase"


ITEMS: tuple[Item | None, ...] = (
    Item.RESUME,
    Item.POWER_OFF,
    None,
    Item.RESTORE_LATEST,
    Item.RESTORE_OLDEST,
    Item.RESTORE_CHOSEN,
    None,
    Item.ERASE,
)


@dataclass(frozen=True, slots=True)
class Choosing:
    """The menu is shown. ``idle``: number of menu timeouts; ``rounds``: number of choices that were not confirmed."""

    idle: int = 0
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Confirming:
    """A confirmation is requested. ``warned``: the second one, for an erase."""

    item: Item
    rounds: int
    warned: bool = False


@dataclass(frozen=True, slots=True)
class ResumeBoot:
    """Continue the boot as without a key press."""


@dataclass(frozen=True, slots=True)
class PowerOff:
    """Switch the unit off."""


Outcome = ResumeBoot | PowerOff | Restore | Erase
MenuState = Choosing | Confirming | Outcome


@dataclass(frozen=True, slots=True)
class Choose:
    """Prompt: choose from ``items`` (empty: spacer) within ``seconds``."""

    title: str
    items: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Confirm:
    """Prompt: yes or no within ``seconds``; a timeout counts as no."""

    question: str
    seconds: float


def after_image_menu(times: int) -> MenuState:
    """After the menu of images was left without a choice, for the ``times``-th time during this boot."""
    return ResumeBoot() if times >= _ROUND_LIMIT else Choosing(rounds=times)


def prompt(state: Choosing | Confirming) -> Choose | Confirm:
    match state:
        case Choosing():
            return Choose(TITLE, tuple(item.value if item else "" for item in ITEMS), MENU_SECONDS)
        case Confirming(item, _, warned):
            if warned:
                return Confirm(CONSEQUENCE, SECOND_SECONDS)
            return Confirm(f"{item.value}?", CONFIRM_SECONDS)


def after_choice(state: Choosing, choice: int | NoChoice) -> MenuState:
    """State after the menu was shown. ``choice``: index into ``ITEMS``."""
    if choice is NoChoice.TIMEOUT:
        idle = state.idle + 1
        return ResumeBoot() if idle >= _IDLE_LIMIT else Choosing(idle, state.rounds)
    if choice is NoChoice.LEFT:
        return ResumeBoot()
    item = ITEMS[choice] if 0 <= choice < len(ITEMS) else None
    return ResumeBoot() if item is None else Confirming(item, state.rounds)


def after_confirmation(state: Confirming, yes: bool) -> MenuState:
    """State after a confirmation was requested."""
    if not yes:
        rounds = state.rounds + 1
        return ResumeBoot() if rounds >= _ROUND_LIMIT else Choosing(0, rounds)
    if state.item is Item.ERASE and not state.warned:
        return Confirming(state.item, state.rounds, warned=True)
    return _outcome(state.item)


def _outcome(item: Item) -> Outcome:
    match item:
        case Item.RESUME:
            return ResumeBoot()
        case Item.POWER_OFF:
            return PowerOff()
        case Item.RESTORE_LATEST:
            return _restore(item, PreferredImage.LATEST)
        case Item.RESTORE_OLDEST:
            return _restore(item, PreferredImage.OLDEST)
        case Item.RESTORE_CHOSEN:
            return _restore(item, PreferredImage.MENU)
        case Item.ERASE:
            return Erase(confirmed=True)


def _restore(item: Item, image: PreferredImage) -> Restore:
    return Restore(RestoreReason.REQUESTED_BY_PERSON, f"boot menu: {item.value}", image)
