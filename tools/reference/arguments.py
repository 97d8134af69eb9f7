"""The page of kernel arguments. Names, kinds, defaults and words are found out by asking the parser; what an argument
means is said here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum

from typing_extensions import override

from gprov.domain.boot.args import MODE_ARGUMENTS, BootArguments, parse_boot_arguments, persistent_arguments
from gprov.domain.boot.argument_reader import NO_WORDS, YES_WORDS
from gprov.domain.branding import Branding

_HEAD = """# Kernel arguments

Made by `python -m tools.reference` from `gprov.domain.boot.args`; a test compares them.

The kernel passes every `key=value` of its command line that it does not use itself to `/init` as an
environment variable. A malformed value never stops a boot: its default is used instead, and a note is
logged. `PROVISION_` is the branding's prefix (`environment_prefix`).
"""
_KINDS = """
A **switch** is on unless its value is empty, `0`, `no`, `false` or `off`. **Seconds** are numbers from 0 to
86400, whole or not. Words count in any case. An argument that is **kept** is written by provisioning, with
`PROVISION_BOOT_ARGS`, to `boot.args` on RECOVERY, from where every restore takes it into the boot entries:
[which value counts](../explanation/booting.md#arguments-that-are-kept). Those that select the **purpose** of
a boot are never kept.
"""
# What a person has to know of each argument; names without the branding's prefix.
MEANS: Mapping[str, str] = {
    "real_root": "`KEY=VALUE`: boot normally from this volume ([names](disks.md#how-the-root-volume-is-named)). Without"
    " it and `DATA_ERASE` the unit restores itself, unless it is a"
    " [fallback boot](../explanation/booting.md#fallback-boots)",
    "DATA_ERASE": "[erase](../explanation/erase.md) all data. `UNRECOVERABLE_ERROR`: an erase failed before: show that,"
    " and erase nothing",
    "DATA_ERASE_SERIAL": "serial number of the unit that `DATA_ERASE` may erase without a person",
    "DATA_ERASE_OPTIONS": "[options](../explanation/erase.md#options) of an erase",
    "PREFERRED_UPDATE": "image that a restore takes first",
    "frmode": "[recovery shell](../explanation/booting.md#the-recovery-shell), after a password check",
    "mfgurl": "provisioning kernel only: URL of `manufData.json`",
    "mfgca": "whom the unit trusts among https servers: `sha256:HEX`, the CA with this fingerprint; `system`, the CAs"
    " of the software's bundle ([TLS](../how-to/tls.md)). A wrong value stops provisioning",
    "TOKEN": "provisioning kernel only: [one-time token](../explanation/server-access.md#tokens-of-provisionings) of"
    " the factory server; steps do not see it",
    "PROTO_IDENT": "code name of the platform to assume if the hardware is not recognised",
    "KERNEL_OVERRIDE": "take RECOVERY's kernel whatever the build numbers",
    "NO_REBOOT": "provisioning kernel only: leave a shell instead of rebooting"
    " ([why](../explanation/booting.md#arguments-that-a-person-types))",
    "XLOG": "URL or `HOST:PORT` of a factory server that gets the log, too: of provisioning, restores, and starts that"
    " fail. Of a start that succeeds it gets nothing",
    "VERBOSE": "log to the console; the values of `console=` are kept then",
    "CONT_LOGGING": "provisioning: put `PROVISION_XLOG` with `LogEndpoint` into the boot entries, so that not only the"
    " first restore logs there, but all later ones and starts that fail",
    "MFG_TEST": "[test switches](manufdata.md#test-switches) of provisioning, separated by commas or blanks",
    "EMERGENCY": "which [emergency files](../how-to/emergency.md) on removable media are used; `all`: also restore"
    " options, which are not signed",
    "EMERGENCY_WAIT": "how long the search for emergency files may delay a start that is otherwise ready",
    "KEY_WINDOW": "wait for a key press, if an operator can be present; 0: do not wait",
    "ROOT_WAIT": "how long the root may take to appear",
    "ARRAY_WAIT": "how long missing members of an array are waited for that would run without them",
    "FAILURE_HOLD": "how long a failure is shown before the next boot: 300 of a restore, 48 h of provisioning; also the"
    " first pause between [restores in a row](../explanation/booting.md#retries)",
    "LCD_MANUFACTURER": "FTDI serial adapters with this USB manufacturer string may belong to an LCD, too, and are"
    " asked; without it, only adapters of Crystalfontz are. At most 126 ASCII characters. For rebadged adapters, and"
    " `QEMU` in virtual machines",
    "LOADER_FALLBACK": "set by the BIOS boot loader: fallback boot, no other menu entry could be started",
    "BOOT_ARGS": "provisioning: further arguments for the unit's boot entries",
}
_NONSENSE = "\x7fnonsense"
_PREFIX = Branding().environment_prefix


class Kind(Enum):
    SWITCH = "switch"
    SECONDS = "seconds"
    WORD = "word"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """``words``: that are understood. ``default``: of seconds and words, "" if there is none. ``kept``: boot entries
    repeat it; ``mode``: it selects the purpose of a boot."""

    name: str
    kind: Kind
    words: tuple[str, ...]
    default: str
    kept: bool
    mode: bool


class _Asked(dict[str, str]):
    """An environment that notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    @override
    def get(self, key: str, default: object = None) -> str:  # type: ignore[override]
        if key not in self.names:
            self.names.append(key)
        return str(default)


def argument_names() -> tuple[str, ...]:
    """As the parser asks for them, in its order."""
    asked = _Asked()
    parse_boot_arguments(asked, Branding())
    return tuple(asked.names)


def described() -> Iterator[tuple[Argument, str]]:
    """Every argument, with what it means."""
    for name in argument_names():
        yield _argument(name), MEANS[name.removeprefix(_PREFIX)]


def arguments_page() -> str:
    rows = "".join(_row(argument, means) for argument, means in described())
    return f"{_HEAD}\n| argument | value | default | use | meaning |\n|---|---|---|---|---|\n{rows}{_KINDS}"


def _row(argument: Argument, means: str) -> str:
    words = ", ".join(f"`{word}`" for word in argument.words)
    value = words if argument.kind is Kind.WORD else argument.kind.value
    use = "purpose" if argument.mode else "kept" if argument.kept else ""
    default = f"`{argument.default}`" if argument.default else ""
    return f"| `{argument.name}=` | {value} | {default} | {use} | {means} |\n"


def _argument(name: str) -> Argument:
    plain, said = parse_boot_arguments({}, Branding()), _expectation(name)
    words = _words(said)
    values = [_parsed(name, value) for value in ("1", "off", *words)]
    changed = {one.name for one in fields(BootArguments) for value in values if _differs(plain, value, one.name)}
    [field] = changed or {""}
    default = getattr(plain, field) if field else None
    if words:
        kind = Kind.WORD
    elif said.startswith("seconds"):
        kind = Kind.SECONDS
    else:
        kind = Kind.SWITCH if isinstance(default, bool) else Kind.TEXT
    return Argument(
        name=name,
        kind=kind,
        words=words,
        default=_shown(default),
        kept=any(name in persistent_arguments(value) for value in values),
        mode=name in MODE_ARGUMENTS,
    )


def _expectation(name: str) -> str:
    """What the parser says that nonsense is not; "" if it takes it."""
    notes = _parsed(name, _NONSENSE).notes
    return notes[0].partition(" is ignored: not ")[2] if notes else ""


def _parsed(name: str, value: str) -> BootArguments:
    return parse_boot_arguments({name: value}, Branding())


def _differs(one: BootArguments, other: BootArguments, field: str) -> bool:
    """``restore_requested`` follows from other arguments."""
    return field not in ("environment", "notes", "restore_requested") and getattr(one, field) != getattr(other, field)


def _words(said: str) -> tuple[str, ...]:
    if said.startswith("one of "):
        return _without_synonyms(tuple(said.removeprefix("one of ").split(", ")))
    return (said,) if said and " " not in said else ()


def _without_synonyms(words: tuple[str, ...]) -> tuple[str, ...]:
    """Of words for yes, and of those for no, the first, or the one that stands in boot entries."""
    dropped = {*YES_WORDS[1:], *(NO_WORDS if "off" not in words or "1" in words else NO_WORDS[:-1]), "newest"}
    return tuple(word for word in words if word not in dropped)


def _shown(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else ""
