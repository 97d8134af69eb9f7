"""KeyProvider port on a file that only its owner can read, outside of the folder with what is encrypted.

The file holds one key a line, ``gprov-key-1`` and 64 hexadecimal digits; ``#`` begins a comment line. The first key is
that of a new store. Further ones are those of other stores, and of the time before a key was replaced.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable

from typing_extensions import override

from gprov.adapters.linux.files.private_file import create_private, replace_private
from gprov.adapters.linux.keys.aes import KEY_SIZE, AesBox, fingerprint
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem
from gprov.ports.secretbox import KeyProvider, SecretBox

_SCHEME = "file"
_LINE = re.compile(rf"gprov-key-1 +(?P<key>[0-9a-f]{{{2 * KEY_SIZE}}})")
_HEAD = b"""\
# Key of the store of a gprov factory server. Keep a copy apart from the store and its backups: without the key no
# password can be read, with key and store all can.
"""
_MOST = 1 << 16


class KeyFile(KeyProvider):
    """``outside``: a folder that must not contain the file, "" for none. ``announce`` gets a sentence when a key was
    made."""

    def __init__(self, path: str, outside: str = "", announce: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._outside = outside
        self._announce = announce

    @override
    def fresh(self) -> SecretBox:
        try:
            return _box(self._keys()[0])
        except DeviceMissing:
            return self._create()

    @override
    def existing(self, key_id: str) -> SecretBox:
        keys = self._keys()
        for key in keys:
            if _key_id(key) == key_id:
                return _box(key)
        raise DeviceMissing(self.path, f"holds the key {_key_id(keys[0])}, not {key_id}")

    def add(self) -> SecretBox:
        """Make another key and put it first. The others stay: other stores and backups may need them."""
        key = os.urandom(KEY_SIZE)
        content = self._content()
        parse_keys(self.path, content)
        try:
            replace_private(self.path, _lines(key) + content)
        except OSError as exc:
            raise DeviceFault(self.path, f"cannot be replaced: {exc.strerror}", errno=exc.errno) from exc
        return _box(key)

    def _create(self) -> SecretBox:
        self._refuse_inside()
        key = os.urandom(KEY_SIZE)
        try:
            os.makedirs(os.path.dirname(self.path) or ".", mode=0o700, exist_ok=True)
            create_private(self.path, _HEAD + _lines(key))
        except FileExistsError:
            return _box(self._keys()[0])
        except OSError as exc:
            raise DeviceFault(self.path, f"the key cannot be stored there: {exc.strerror}", errno=exc.errno) from exc
        self._announce(
            f"{self.path}: made the key that encrypts the passwords in the store. Keep a copy of this file apart from"
            " the store and its backups: without it no password can be read"
        )
        return _box(key)

    def _keys(self) -> list[bytes]:
        """At least one."""
        return parse_keys(self.path, self._content())

    def _content(self) -> bytes:
        self._refuse_inside()
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(fd, "rb") as file:
                found = os.fstat(fd)
                content = file.read(_MOST)
        except FileNotFoundError as exc:
            raise DeviceMissing(self.path, "no such key file", errno=exc.errno) from exc
        except OSError as exc:
            raise DeviceFault(self.path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
        self._check(found)
        return content

    def _check(self, found: os.stat_result) -> None:
        """Raises BadInput if others than its owner, who must be this user or root, can read or change the file."""
        mode = stat.S_IMODE(found.st_mode)
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(self.path, [Problem("", "is not a regular file")])
        if mode & 0o077:
            raise BadInput(self.path, [Problem("", f"is a key with mode {mode:04o}: chmod 600 makes it private")])
        if found.st_uid not in (0, os.geteuid()):
            raise BadInput(self.path, [Problem("", f"is a key that belongs to user {found.st_uid}")])

    def _refuse_inside(self) -> None:
        if not self._outside:
            return
        folder, path = os.path.realpath(self._outside), os.path.realpath(self.path)
        if os.path.commonpath([folder, path]) == folder:
            lies = f"lies in {self._outside}: a copy of that folder would hold the passwords and their key"
            raise BadInput(self.path, [Problem("", lies)])


class SystemdCredential(KeyFile):
    """A key file that systemd put into the folder of the service's credentials (``LoadCredential=``). systemd restricts
    access to it; its mode has the mask of an access control list in place of the group's rights."""

    @override
    def _check(self, found: os.stat_result) -> None:
        return

    @override
    def _create(self) -> SecretBox:
        raise DeviceMissing(self.path, "no such credential of the service")


def parse_keys(path: str, content: bytes) -> list[bytes]:
    """Raises BadInput with all problems; they quote nothing of the file."""
    keys: list[bytes] = []
    problems: list[Problem] = []
    for number, line in enumerate(content.decode("ascii", "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text)
        if found:
            keys.append(bytes.fromhex(found["key"]))
        else:
            problems.append(Problem(f"line {number}", f"must be gprov-key-1 and {2 * KEY_SIZE} hexadecimal digits"))
    if not keys and not problems:
        problems.append(Problem("", "holds no key"))
    if problems:
        raise BadInput(path, problems)
    return keys


def _lines(key: bytes) -> bytes:
    return f"# {_key_id(key)}\ngprov-key-1 {key.hex()}\n".encode()


def _key_id(key: bytes) -> str:
    return f"{_SCHEME}-{fingerprint(key)}"


def _box(key: bytes) -> SecretBox:
    return AesBox(key, _key_id(key))
