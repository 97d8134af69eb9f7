"""Consoles at which a person may be.

The virtual console, if it has both a display and a keyboard, and each serial console that the kernel command line
names.
"""

from __future__ import annotations

import os

# Bits in the low word of a device's key map (linux/input-event-codes.h): Enter, A, Space. Power buttons lack them.
_KEYBOARD_KEYS = 1 << 28 | 1 << 30 | 1 << 57

# PCI base class 3: display controller
_PCI_DISPLAY = "0x03"


def operator_terminals() -> tuple[str, ...]:
    """Paths of the terminals at which an operator may be."""
    return tuple(f"/dev/{name}" for name in eligible_terminals("/sys", "/proc"))


def eligible_terminals(sys: str, proc: str) -> tuple[str, ...]:
    """Names below /dev of the active consoles at which an operator may be."""
    active = _text(f"{sys}/class/tty/console/active").split()
    words = _text(f"{proc}/cmdline").split()
    named = {word[len("console=") :].partition(",")[0] for word in words if word.startswith("console=")}
    return tuple(name for name in active if (_has_operator(sys) if _is_virtual(name) else name in named))


def _is_virtual(name: str) -> bool:
    return name.startswith("tty") and name[3:].isdigit()


def _has_operator(sys: str) -> bool:
    return _has_keyboard(sys) and _has_display(sys)


def _has_keyboard(sys: str) -> bool:
    for device in _names(f"{sys}/class/input"):
        words = _text(f"{sys}/class/input/{device}/capabilities/key").split()
        try:
            low = int(words[-1], 16) if words else 0
        except ValueError:
            continue
        if low & _KEYBOARD_KEYS == _KEYBOARD_KEYS:
            return True
    return False


def _has_display(sys: str) -> bool:
    """Whether a connector is not disconnected. Without connectors (no DRM driver): a display adapter and a console
    other than the dummy. (The kernel assumes VGA text mode even without an adapter.)"""
    connectors = [_text(f"{sys}/class/drm/{name}/status").strip() for name in _names(f"{sys}/class/drm") if "-" in name]
    if connectors:
        return any(status != "disconnected" for status in connectors)
    devices = f"{sys}/bus/pci/devices"
    if not any(_text(f"{devices}/{name}/class").startswith(_PCI_DISPLAY) for name in _names(devices)):
        return False
    consoles = [f"{sys}/class/vtconsole/{name}" for name in _names(f"{sys}/class/vtconsole")]
    return any(
        _text(f"{console}/bind").strip() == "1" and "dummy" not in _text(f"{console}/name") for console in consoles
    )


def _text(path: str) -> str:
    """Content of a file; empty if it cannot be read, which counts as "no operator"."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
