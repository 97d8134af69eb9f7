"""GRUB scripts: the one inside the core image, and the menus on the volumes.

The core script is the same on all units. It starts the normal menu of a primary disk (that of the booted disk, else of
any disk), else RECOVERY's menu. A disk is bootable if it has such a menu, so the menu is written last. Without any menu
GRUB exits and the BIOS tries its next device.

GRUB does not replay journals: a replaced file on a journalled volume may be unreadable for GRUB until the volume was
flushed. Therefore RECOVERY has a second copy of its kernel, and every menu has a fallback for each file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.boot.args import FALLBACK_ARGUMENT, KEY_WINDOW_ARGUMENT, kernel_words, without_mode_arguments
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.recovery_files import MENU_FOLDER, RECOVERY_MENU

NORMAL_MENU = f"{MENU_FOLDER}/normal.cfg"
# The hidden menu is shown if Escape is pressed within this time, which delays every boot.
MENU_SECONDS = 2
# Titles of entries that exist on BIOS only.
RECOVERY_TITLE = "Recovery"
SECOND_COPY_TITLE = "Recovery (second copy)"
ERASE_TITLE = "Yes, erase all data"
_ERASE_SECONDS = 60
_RETRY_SECONDS = 30
_NEXT_DEVICE_SECONDS = 5
# GRUB prepends BOOT_IMAGE=; the kernel accepts 2047 bytes (arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE).
_MAX_LENGTH = 1900
_CONSOLE = re.compile(r"console=ttyS(?P<port>[0-3])(?:,(?P<speed>[1-9][0-9]{1,6})[a-z0-9]*)?")
_WORD = re.compile(r"[ !#-&(-\[\]-~]+")  # printable ASCII without quotes and backslash


@dataclass(frozen=True, slots=True)
class _Entry:
    title: str
    lines: tuple[str, ...]

    def render(self) -> str:
        return f'menuentry "{self.title}" {{\n' + "".join(f"  {line}\n" for line in self.lines) + "}\n"


def second_kernel(branding: Branding) -> str:
    """Path of the second copy of the kernel, relative to the root of RECOVERY."""
    return f"{MENU_FOLDER}/{branding.boot_kernel}"


def other_disk_title(branding: Branding, number: int) -> str:
    """Title of the entry that loads the kernel from another disk of an array; ``number`` from 1."""
    return f"{branding.normal_entry} (other disk {number})"


def core_script(branding: Branding) -> str:
    """The script of the core image. The core image on RECOVERY is never rewritten, so the script must stay compatible
    with all later menus."""
    return f"""\
# gprov: which menu to show.
regexp --set=1:own '^\\(([^,)]+)' "$cmdpath"
search --no-floppy --set=boot --hint="$own," --file /{NORMAL_MENU}
if [ -n "$boot" ]; then
  export boot
  configfile ($boot)/{NORMAL_MENU}
fi
search --no-floppy --set=recovery --hint="$own," --label {branding.recovery_label}
if [ -n "$recovery" ]; then
  export recovery
  if [ -f ($recovery)/{RECOVERY_MENU} ]; then
    configfile ($recovery)/{RECOVERY_MENU}
  fi
  if [ -f ($recovery)/{second_kernel(branding)} ]; then
    linux ($recovery)/{second_kernel(branding)} quiet {_fallback(branding)}
    boot
  fi
fi
echo "gprov: nothing to start on any disk; going on with the next device"
sleep {_NEXT_DEVICE_SECONDS}
exit
"""


def normal_menu(branding: Branding, primary_uuid: str, extra_arguments: str, others: Sequence[str] = ()) -> str:
    """Menu of a primary disk's boot partition. ``others``: UUIDs of the boot partitions on the other disks of an array,
    whose kernels serve as fallback. Raises BadInput for arguments that GRUB cannot pass."""
    extras = _grub_words(extra_arguments)
    linux = _linux("boot", branding.boot_kernel, "quiet", f"real_root=UUID={primary_uuid}", *extras)
    normal = _Entry(branding.normal_entry, (linux,))
    elsewhere = (
        _Entry(other_disk_title(branding, number), (_search("boot", f"--fs-uuid {uuid}"), linux))
        for number, uuid in enumerate(others, start=1)
    )
    return _menu(branding, extra_arguments, normal, *elsewhere, *_recovery_entries(branding, extras))


def recovery_menu(branding: Branding, extra_arguments: str) -> str:
    """Menu of RECOVERY. Raises BadInput for arguments that GRUB cannot pass."""
    return _menu(branding, extra_arguments, *_recovery_entries(branding, _grub_words(extra_arguments)))


def _menu(branding: Branding, extra_arguments: str, *automatic: _Entry) -> str:
    """``automatic`` entries are tried in order until one loads. Restore and erase are started by the operator only."""
    extras = _grub_words(extra_arguments)
    search = _search_recovery(branding)
    restore = _Entry(branding.restore_entry, (search, _linux("recovery", branding.boot_kernel, "quiet", *extras)))
    again = _Entry("Restart", (f"sleep {_RETRY_SECONDS}", "reboot"))
    entries = (*automatic, again)
    fallbacks = " ".join(str(index) for index in range(1, len(entries)))
    head = [
        "# Written by gprov; a restore writes it anew.",
        *_serial(extra_arguments),
        "set default=0",
        f'set fallback="{fallbacks}"',
        "set timeout_style=hidden",
        f"set timeout={_timeout(branding, extra_arguments)}",
    ]
    return "\n".join(head) + "\n" + "".join(entry.render() for entry in (*entries, restore)) + _erase(branding, extras)


def _recovery_entries(branding: Branding, extras: tuple[str, ...]) -> tuple[_Entry, _Entry]:
    """Fallback boot entries: ``LOADER_FALLBACK`` marks the boot as not requested by a person."""
    words = ("quiet", _fallback(branding), *extras)
    first, second = branding.boot_kernel, second_kernel(branding)
    search = _search_recovery(branding)
    return (
        _Entry(RECOVERY_TITLE, (search, _linux("recovery", first, *words))),
        _Entry(SECOND_COPY_TITLE, (search, _linux("recovery", second, *words))),
    )


def _erase(branding: Branding, extras: tuple[str, ...]) -> str:
    """Submenu with a confirmation; the default after a timeout is to keep the data. The kernel asks once more, on the
    console that ``extras`` name."""
    kernel = _linux("recovery", branding.boot_kernel, "DATA_ERASE=1", *extras)
    keep = _Entry("No, keep all data: restart", ("reboot",))
    erase = _Entry(ERASE_TITLE, (_search_recovery(branding), kernel))
    inner = f"set default=0\nset timeout_style=menu\nset timeout={_ERASE_SECONDS}\n{keep.render()}{erase.render()}"
    body = "".join(f"  {line}\n" for line in inner.splitlines())
    return f'submenu "{branding.erase_entry}" {{\n{body}}}\n'


def _search_recovery(branding: Branding) -> str:
    return _search("recovery", f"--label {branding.recovery_label}")


def _search(variable: str, what: str) -> str:
    return f"search --no-floppy --set={variable} {what}"


def _linux(device: str, kernel: str, *words: str) -> str:
    return " ".join((f"linux (${device})/{kernel}", *words))


def _fallback(branding: Branding) -> str:
    return f"{branding.environment_prefix}{FALLBACK_ARGUMENT}=1"


def _timeout(branding: Branding, extra_arguments: str) -> int:
    """No menu timeout if the key window of /init is 0."""
    key = f"{branding.environment_prefix}{KEY_WINDOW_ARGUMENT}="
    return 0 if f"{key}0" in kernel_words(extra_arguments) else MENU_SECONDS


def _serial(extra_arguments: str) -> list[str]:
    """Commands that put the menu on the kernel's serial console, if it has one."""
    for word in kernel_words(extra_arguments):
        found = _CONSOLE.fullmatch(word)
        if found:
            speed = found["speed"] or "9600"
            return [
                f"serial --unit={found['port']} --speed={speed}",
                "terminal_input console serial",
                "terminal_output console serial",
            ]
    return []


def _grub_words(arguments: str) -> tuple[str, ...]:
    """Quote each word for GRUB. Raises BadInput."""
    return tuple(f"'{word}'" for word in checked_words(arguments))


def checked_words(arguments: str) -> tuple[str, ...]:
    """Words for a menu, without mode arguments and without the double quotes around blanks. Raises BadInput for words
    that a boot loader cannot pass unchanged."""
    words = [word.replace('"', "") for word in kernel_words(without_mode_arguments(arguments))]
    problems = [
        Problem(word[:80], "GRUB cannot pass quotes, backslashes and characters that are not printable ASCII")
        for word in words
        if not _WORD.fullmatch(word)
    ]
    if len(arguments) > _MAX_LENGTH:
        problems.append(Problem("", f"{len(arguments)} characters, at most {_MAX_LENGTH} can be passed"))
    if problems:
        raise BadInput("boot arguments", problems)
    return tuple(words)
