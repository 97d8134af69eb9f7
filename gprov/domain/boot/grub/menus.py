"""What GRUB reads: the script inside its core image, and the menus on the volumes. Pure text.

The core knows no unit. It starts the normal menu of a primary disk (of the disk that the BIOS started first, else of
any), else RECOVERY's menu; presence of these files is what makes a disk startable, so each is written last. Where
nothing is to be started, the BIOS goes on with its next device.

GRUB does not replay journals: a file that is replaced on a journalled volume may be unreadable for it until that
volume was flushed. So RECOVERY has a second copy of its kernel, and every menu a way around each file.
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
# How long a person may press Escape for the menu; at all other times it is hidden. A headless unit loses this time.
MENU_SECONDS = 2
# Titles besides those that UEFI's boot entries have, too.
RECOVERY_TITLE = "Recovery"
SECOND_COPY_TITLE = "Recovery (second copy)"
ERASE_TITLE = "Yes, erase all data"
_ERASE_SECONDS = 60
_RETRY_SECONDS = 30
_NEXT_DEVICE_SECONDS = 5
# GRUB puts BOOT_IMAGE= in front; the kernel takes 2047 bytes (arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE).
_LONGEST = 1900
_CONSOLE = re.compile(r"console=ttyS(?P<port>[0-3])(?:,(?P<speed>[1-9][0-9]{1,6})[a-z0-9]*)?")
_WORD = re.compile(r"[ !#-&(-\[\]-~]+")  # printable ASCII without quotes and backslash


@dataclass(frozen=True, slots=True)
class _Entry:
    title: str
    lines: tuple[str, ...]

    def render(self) -> str:
        return f'menuentry "{self.title}" {{\n' + "".join(f"  {line}\n" for line in self.lines) + "}\n"


def second_kernel(branding: Branding) -> str:
    """RECOVERY's other copy of the kernel, relative to its root."""
    return f"{MENU_FOLDER}/{branding.boot_kernel}"


def other_disk_title(branding: Branding, number: int) -> str:
    """Of the entry that takes the kernel from another disk of an array; ``number`` from 1."""
    return f"{branding.normal_entry} (other disk {number})"


def core_script(branding: Branding) -> str:
    """For the core image. It must work for every unit for ever: RECOVERY's core is never made anew."""
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
    """Of a primary disk's boot partition. ``others``: UUIDs of the boot partitions of the other disks of an array,
    whose kernels are tried too. Raises BadInput for arguments that cannot be passed."""
    extras = _grub_words(extra_arguments)
    linux = _linux("boot", branding.boot_kernel, "quiet", f"real_root=UUID={primary_uuid}", *extras)
    normal = _Entry(branding.normal_entry, (linux,))
    elsewhere = (
        _Entry(other_disk_title(branding, number), (_search("boot", f"--fs-uuid {uuid}"), linux))
        for number, uuid in enumerate(others, start=1)
    )
    return _menu(branding, extra_arguments, normal, *elsewhere, *_recovery_entries(branding, extras))


def recovery_menu(branding: Branding, extra_arguments: str) -> str:
    """Of RECOVERY. Raises BadInput for arguments that cannot be passed."""
    return _menu(branding, extra_arguments, *_recovery_entries(branding, _grub_words(extra_arguments)))


def _menu(branding: Branding, extra_arguments: str, *automatic: _Entry) -> str:
    """The first entry is started; if it does not load, the next, and so on. The others are for a person."""
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
    return "\n".join(head) + "\n" + "".join(entry.render() for entry in (*entries, restore)) + _erase(branding)


def _recovery_entries(branding: Branding, extras: tuple[str, ...]) -> tuple[_Entry, _Entry]:
    """Nobody's wish: the kernel is told so, and looks for itself what is to be done."""
    words = ("quiet", _fallback(branding), *extras)
    first, second = branding.boot_kernel, second_kernel(branding)
    search = _search_recovery(branding)
    return (
        _Entry(RECOVERY_TITLE, (search, _linux("recovery", first, *words))),
        _Entry(SECOND_COPY_TITLE, (search, _linux("recovery", second, *words))),
    )


def _erase(branding: Branding) -> str:
    """Silence is no."""
    kernel = _linux("recovery", branding.boot_kernel, "DATA_ERASE=1")
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
    """Who does not want to wait for keys in /init does not want it here."""
    key = f"{branding.environment_prefix}{KEY_WINDOW_ARGUMENT}="
    return 0 if f"{key}0" in kernel_words(extra_arguments) else MENU_SECONDS


def _serial(extra_arguments: str) -> list[str]:
    """On the serial line that the kernel uses, if there is one."""
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
    """Each word as GRUB must read it to hand just that to the kernel. Raises BadInput."""
    words = [word.replace('"', "") for word in kernel_words(without_mode_arguments(arguments))]
    problems = [
        Problem(word[:80], "GRUB cannot pass quotes, backslashes, and what is not printable ASCII")
        for word in words
        if not _WORD.fullmatch(word)
    ]
    if len(arguments) > _LONGEST:
        problems.append(Problem("", f"{len(arguments)} characters, at most {_LONGEST} can be passed"))
    if problems:
        raise BadInput("boot arguments", problems)
    return tuple(f"'{word}'" for word in words)
