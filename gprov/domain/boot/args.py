"""Parses kernel arguments: the kernel puts every ``key=value`` that it does not use itself into init's environment.

A malformed value never stops a boot: the default is used instead, and a note is added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.boot.argument_reader import NO_WORDS, YES_WORDS, ArgumentReader
from gprov.domain.branding import Branding
from gprov.domain.unit.credentials import Secret

KEY_WINDOW_SECONDS = 10.0
ROOT_DEADLINE_SECONDS = 120.0
# Staggered spin-up of a large set of disks takes about this long.
ARRAY_WAIT_SECONDS = 30.0
FAILURE_HOLD_SECONDS = 300.0
# Limit of the search for emergency files when the boot is otherwise ready.
EMERGENCY_WAIT_SECONDS = 5.0

# Arguments that select the purpose of a boot. They are never copied from the command line into a boot entry.
MODE_ARGUMENTS = frozenset(
    {"real_root", "DATA_ERASE", "DATA_ERASE_SERIAL", "DATA_ERASE_OPTIONS", "frmode", "mfgurl", "mfgca"}
)
# Names without the branding's prefix: set by GRUB's recovery entries; seconds to wait for a key press; manufacturer of
# further adapters of displays.
FALLBACK_ARGUMENT = "LOADER_FALLBACK"
KEY_WINDOW_ARGUMENT = "KEY_WINDOW"
LCD_MANUFACTURER_ARGUMENT = "LCD_MANUFACTURER"
EMERGENCY_ARGUMENT = "EMERGENCY"
EMERGENCY_WAIT_ARGUMENT = "EMERGENCY_WAIT"
# One-time token with which a provisioning starts.
START_ARGUMENT = "TOKEN"

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')

_BRANDING = Branding()


class EraseMode(Enum):
    """``DATA_ERASE``: absent, erase, or report that an earlier erase failed permanently (no new attempt)."""

    NONE = ""
    REQUESTED = "1"
    UNRECOVERABLE_ERROR = "UNRECOVERABLE_ERROR"


class PreferredImage(Enum):
    """The image that a restore tries first. ``MENU``: the operator chooses."""

    LATEST = "latest"
    OLDEST = "oldest"
    MENU = "menu"


class EmergencyPolicy(Enum):
    """Which emergency files on removable media are used. Options are not signed: only ``ALL`` trusts them."""

    OFF = "off"
    IMAGES = "images"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootArguments:
    """Parsed kernel command line.

    ``real_root``: raw text, "" if not given. ``restore_requested``: neither ``real_root`` nor ``DATA_ERASE`` was given
    (see also ``entries.started_by_fallback``). ``loader_fallback``: the boot loader started recovery because no other
    menu entry worked.
    ``key_window``, ``root_deadline``, ``array_wait`` (for missing members of an array that can run degraded),
    ``emergency_wait`` (how long the search for emergency files may delay a boot) and
    ``failure_hold`` (how long a failure is displayed before the next boot; None: the flow's default) are in seconds.
    ``erase_serial``: serial number of the unit that ``DATA_ERASE`` may erase without a person's confirmation.
    ``erase_options``: ``gprov.domain.erase.request_text``.
    ``mfg_ca``: raw text of ``mfgca``: a wrong value stops provisioning (``gprov.domain.unit.trust``).
    ``lcd_manufacturer``: manufacturer of further FTDI adapters that may belong to displays, "" if not given.
    ``boot_args``: further arguments that provisioning puts into the unit's boot entries. ``prefix``: prefix of gprov's
    own arguments. ``consoles``: values of ``console=``. ``notes``: one sentence per malformed argument.
    ``environment``: the variables that all of this was parsed from, without the token; a URL among them may hold a
    password.
    """

    real_root: str = ""
    restore_requested: bool = False
    loader_fallback: bool = False
    erase: EraseMode = EraseMode.NONE
    erase_serial: str = ""
    erase_options: str = ""
    mfg_url: str = ""
    mfg_token: Secret | None = None
    mfg_ca: str = ""
    preferred_image: PreferredImage = PreferredImage.LATEST
    shell: bool = False
    emergency: EmergencyPolicy = EmergencyPolicy.IMAGES
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
    emergency_wait: float = EMERGENCY_WAIT_SECONDS
    failure_hold: float | None = None
    lcd_manufacturer: str = ""
    boot_args: str = ""
    prefix: str = _BRANDING.environment_prefix
    consoles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def parse_boot_arguments(environment: Mapping[str, str], branding: Branding, command_line: str = "") -> BootArguments:
    """Never raises. ``command_line``: /proc/cmdline, for ``console=``, which is not part of init's environment."""
    reader = ArgumentReader(environment)
    own = branding.environment_prefix
    real_root = reader.text("real_root")
    return BootArguments(
        real_root=real_root,
        restore_requested=not real_root and not reader.text("DATA_ERASE"),
        loader_fallback=reader.switch(own + FALLBACK_ARGUMENT),
        erase=reader.word("DATA_ERASE", _ERASE_WORDS, EraseMode.NONE),
        erase_serial=reader.text("DATA_ERASE_SERIAL"),
        erase_options=reader.text("DATA_ERASE_OPTIONS"),
        mfg_url=reader.text("mfgurl"),
        mfg_token=Secret(token) if (token := reader.text(own + START_ARGUMENT)) else None,
        mfg_ca=reader.text("mfgca"),
        preferred_image=reader.word("PREFERRED_UPDATE", _IMAGE_WORDS, PreferredImage.LATEST, strip="-_"),
        shell=reader.is_word("frmode", "shell"),
        emergency=reader.word(own + EMERGENCY_ARGUMENT, _EMERGENCY_WORDS, EmergencyPolicy.IMAGES),
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
        emergency_wait=reader.seconds(own + EMERGENCY_WAIT_ARGUMENT, EMERGENCY_WAIT_SECONDS),
        failure_hold=reader.optional_seconds(own + "FAILURE_HOLD"),
        lcd_manufacturer=reader.plain(own + LCD_MANUFACTURER_ARGUMENT),
        boot_args=without_mode_arguments(reader.text(own + "BOOT_ARGS")),
        prefix=own,
        consoles=tuple(word[len("console=") :] for word in command_line.split() if word.startswith("console=")),
        notes=tuple(reader.notes),
        environment={name: value for name, value in environment.items() if name != own + START_ARGUMENT},
    )


def persistent_arguments(arguments: BootArguments) -> str:
    """Return the arguments of this boot that the unit's boot entries must repeat, "" if there are none.

    ``console=`` is repeated on verbose units only: every boot waits for keys on a serial console that is named.
    """
    own = arguments.prefix
    words = [f"console={console}" for console in arguments.consoles] if arguments.verbose else []
    if arguments.verbose:
        words.append(f"{own}VERBOSE=1")
    if arguments.emergency is not EmergencyPolicy.IMAGES:
        words.append(f"{own}{EMERGENCY_ARGUMENT}={arguments.emergency.value}")
    if arguments.kernel_override_recovery:
        words.append("KERNEL_OVERRIDE=recovery")
    for key, value, default in (
        (KEY_WINDOW_ARGUMENT, arguments.key_window, KEY_WINDOW_SECONDS),
        ("ROOT_WAIT", arguments.root_deadline, ROOT_DEADLINE_SECONDS),
        ("ARRAY_WAIT", arguments.array_wait, ARRAY_WAIT_SECONDS),
        (EMERGENCY_WAIT_ARGUMENT, arguments.emergency_wait, EMERGENCY_WAIT_SECONDS),
        ("FAILURE_HOLD", arguments.failure_hold, None),
    ):
        if value is not None and value != default:
            words.append(f"{own}{key}={value:g}")
    if name := arguments.lcd_manufacturer:
        # Quotes protect blanks; the kernel removes them.
        words.append(f"{own}{LCD_MANUFACTURER_ARGUMENT}=" + (f'"{name}"' if " " in name else name))
    return " ".join(words)


def join_arguments(*parts: str) -> str:
    """Join argument texts. Each word occurs once, at the place of its first occurrence."""
    return " ".join(dict.fromkeys(word for part in parts for word in kernel_words(part)))


def kernel_words(arguments: str) -> tuple[str, ...]:
    """Split an argument text into words. Double quotes, which protect blanks, are kept."""
    return tuple(_WORD.findall(arguments))


def without_mode_arguments(arguments: str) -> str:
    """Remove the ``MODE_ARGUMENTS``. Quotes are read as the kernel reads them: blanks between double quotes do not end
    a word, and a quote before the key is not part of the key."""
    words = kernel_words(arguments)
    return " ".join(word for word in words if word.replace('"', "").partition("=")[0] not in MODE_ARGUMENTS)


_ERASE_WORDS = {
    **dict.fromkeys(YES_WORDS, EraseMode.REQUESTED),
    **dict.fromkeys(NO_WORDS, EraseMode.NONE),
    "unrecoverable_error": EraseMode.UNRECOVERABLE_ERROR,
}
_EMERGENCY_WORDS = {
    **dict.fromkeys(NO_WORDS, EmergencyPolicy.OFF),
    "images": EmergencyPolicy.IMAGES,
    "all": EmergencyPolicy.ALL,
}
_IMAGE_WORDS = {
    "": PreferredImage.LATEST,
    "latest": PreferredImage.LATEST,
    "newest": PreferredImage.LATEST,
    "oldest": PreferredImage.OLDEST,
    "menu": PreferredImage.MENU,
}
