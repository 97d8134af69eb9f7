"""Kernel arguments as /init sees them: every ``key=value`` that the kernel does not know reaches init's environment.

A malformed value never stops a boot: the default is used instead and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from gprov.domain.branding import Branding

KEY_WINDOW_SECONDS = 10.0
ROOT_DEADLINE_SECONDS = 120.0
# Disks that spin up one after the other, as large sets do, take about so long.
ARRAY_WAIT_SECONDS = 30.0
FAILURE_HOLD_SECONDS = 300.0
_MOST_SECONDS = 86400.0

# Arguments that decide what a start is for; none of them may be carried from one start into a boot entry.
MODE_ARGUMENTS = frozenset({"real_root", "DATA_ERASE", "frmode", "mfgurl"})
# Behind the prefix: what a boot loader says that starts recovery by itself, and how long keys are waited for.
FALLBACK_ARGUMENT = "LOADER_FALLBACK"
KEY_WINDOW_ARGUMENT = "KEY_WINDOW"

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')

_YES = ("1", "yes", "true", "on")
_NO = ("0", "no", "false", "off")

_BRANDING = Branding()

E = TypeVar("E", bound=Enum)


class EraseMode(Enum):
    """``DATA_ERASE``: nothing, erase, or show that an earlier erase failed for good instead of trying again."""

    NONE = ""
    REQUESTED = "1"
    UNRECOVERABLE_ERROR = "UNRECOVERABLE_ERROR"


class PreferredImage(Enum):
    """Which image a restore tries first, or that a person is to choose."""

    LATEST = "latest"
    OLDEST = "oldest"
    MENU = "menu"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootArguments:
    """What the kernel command line asks for.

    ``real_root``: raw text, "" if not given. ``restore_requested``: neither ``real_root`` nor ``DATA_ERASE`` was given,
    whatever their values; who started the kernel so is another question (``entries.started_by_fallback``).
    ``loader_fallback``: no person chose this start, the boot loader found nothing better.
    ``key_window``, ``root_deadline``, ``array_wait`` (for missing members of an array that works without them),
    ``failure_hold`` (how long a failure is shown before the next start; None if that
    was not given, since flows differ in how long they hold by themselves): seconds.
    ``boot_args``: further arguments that provisioning puts into the unit's boot entries. ``prefix``: of the arguments
    that are gprov's own. ``consoles``: values of ``console=``. ``notes``: what was not understood, a sentence each.
    ``environment``: the variables that all of this was read from; a URL among them may hold a password.
    """

    real_root: str = ""
    restore_requested: bool = False
    loader_fallback: bool = False
    erase: EraseMode = EraseMode.NONE
    mfg_url: str = ""
    preferred_image: PreferredImage = PreferredImage.LATEST
    shell: bool = False
    proto_ident: str = ""
    kernel_override_recovery: bool = False
    xlog: str = ""
    verbose: bool = False
    cont_logging: bool = False
    mfg_test: str = ""
    no_reboot: bool = False
    key_window: float = KEY_WINDOW_SECONDS
    root_deadline: float = ROOT_DEADLINE_SECONDS
    array_wait: float = ARRAY_WAIT_SECONDS
    failure_hold: float | None = None
    boot_args: str = ""
    prefix: str = _BRANDING.environment_prefix
    consoles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def parse_boot_arguments(environment: Mapping[str, str], branding: Branding, command_line: str = "") -> BootArguments:
    """Never fails. ``command_line``: /proc/cmdline, for the consoles, which the kernel keeps to itself."""
    reader = _Reader(environment)
    own = branding.environment_prefix
    real_root = reader.text("real_root")
    return BootArguments(
        real_root=real_root,
        restore_requested=not real_root and not reader.text("DATA_ERASE"),
        loader_fallback=reader.switch(own + FALLBACK_ARGUMENT),
        erase=reader.word("DATA_ERASE", _ERASE_WORDS, EraseMode.NONE),
        mfg_url=reader.text("mfgurl"),
        preferred_image=reader.word("PREFERRED_UPDATE", _IMAGE_WORDS, PreferredImage.LATEST, strip="-_"),
        shell=reader.is_word("frmode", "shell"),
        proto_ident=reader.text("PROTO_IDENT"),
        kernel_override_recovery=reader.is_word("KERNEL_OVERRIDE", "recovery"),
        xlog=reader.text(own + "XLOG"),
        verbose=reader.switch(own + "VERBOSE"),
        cont_logging=reader.switch(own + "CONT_LOGGING"),
        mfg_test=reader.text(own + "MFG_TEST"),
        no_reboot=reader.switch("NO_REBOOT"),
        key_window=reader.seconds(own + KEY_WINDOW_ARGUMENT, KEY_WINDOW_SECONDS),
        root_deadline=reader.seconds(own + "ROOT_WAIT", ROOT_DEADLINE_SECONDS),
        array_wait=reader.seconds(own + "ARRAY_WAIT", ARRAY_WAIT_SECONDS),
        failure_hold=reader.optional_seconds(own + "FAILURE_HOLD"),
        boot_args=without_mode(reader.text(own + "BOOT_ARGS")),
        prefix=own,
        consoles=tuple(word[len("console=") :] for word in command_line.split() if word.startswith("console=")),
        notes=tuple(reader.notes),
        environment=dict(environment),
    )


def carried_arguments(arguments: BootArguments) -> str:
    """The arguments of this start that the unit's boot entries must repeat, "" if there are none.

    Consoles are repeated on verbose units only: a serial console that is named counts as a person's terminal, for
    whose keys every boot then waits.
    """
    own = arguments.prefix
    words = [f"console={console}" for console in arguments.consoles] if arguments.verbose else []
    if arguments.verbose:
        words.append(f"{own}VERBOSE=1")
    if arguments.kernel_override_recovery:
        words.append("KERNEL_OVERRIDE=recovery")
    for key, value, default in (
        (KEY_WINDOW_ARGUMENT, arguments.key_window, KEY_WINDOW_SECONDS),
        ("ROOT_WAIT", arguments.root_deadline, ROOT_DEADLINE_SECONDS),
        ("ARRAY_WAIT", arguments.array_wait, ARRAY_WAIT_SECONDS),
        ("FAILURE_HOLD", arguments.failure_hold, None),
    ):
        if value is not None and value != default:
            words.append(f"{own}{key}={value:g}")
    return " ".join(words)


def join_arguments(*parts: str) -> str:
    """Several argument texts as one, each word once, in the order in which they come first."""
    return " ".join(dict.fromkeys(word for part in parts for word in kernel_words(part)))


def kernel_words(arguments: str) -> tuple[str, ...]:
    """The words of an argument text, with the double quotes that keep blanks in them."""
    return tuple(_WORD.findall(arguments))


def without_mode(arguments: str) -> str:
    """The same words without those that decide what a start is for. Quoted as the kernel reads quotes: blanks between
    double quotes do not end a word, and a quote in front of the key does not belong to it. GRUB's menus, which quote in
    their own way, pass on a word without any quotes, wherever they were."""
    words = kernel_words(arguments)
    return " ".join(word for word in words if word.replace('"', "").partition("=")[0] not in MODE_ARGUMENTS)


_ERASE_WORDS = {
    **dict.fromkeys(_YES, EraseMode.REQUESTED),
    **dict.fromkeys(_NO, EraseMode.NONE),
    "unrecoverable_error": EraseMode.UNRECOVERABLE_ERROR,
}
_IMAGE_WORDS = {
    "": PreferredImage.LATEST,
    "latest": PreferredImage.LATEST,
    "newest": PreferredImage.LATEST,
    "oldest": PreferredImage.OLDEST,
    "menu": PreferredImage.MENU,
}


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.notes: list[str] = []

    def text(self, key: str) -> str:
        return self._environment.get(key, "").strip()

    def word(self, key: str, words: Mapping[str, E], default: E, *, strip: str = "") -> E:
        text = self.text(key)
        if not text:
            return default
        found = words.get(text.lower().strip(strip) if strip else text.lower())
        if found is None:
            self._note(key, text, f"one of {', '.join(word for word in words if word)}")
            return default
        return found

    def is_word(self, key: str, word: str) -> bool:
        text = self.text(key)
        if text and text.lower() != word:
            self._note(key, text, word)
        return text.lower() == word

    def switch(self, key: str) -> bool:
        """Anything but a word for no switches on, as it always did for whoever uses these arguments."""
        return self.text(key).lower() not in ("", *_NO)

    def seconds(self, key: str, default: float) -> float:
        value = self.optional_seconds(key)
        return default if value is None else value

    def optional_seconds(self, key: str) -> float | None:
        text = self.text(key)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= _MOST_SECONDS:
            self._note(key, text, f"seconds, 0 to {_MOST_SECONDS:g}")
            return None
        return value

    def _note(self, key: str, text: str, wanted: str) -> None:
        self.notes.append(f"kernel argument {key}={text[:80]!r} is ignored: not {wanted}")
