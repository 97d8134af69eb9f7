"""PasswordHasher port on libxcrypt, the library that PAM uses.

The password is copied into a buffer that is overwritten afterwards, and libxcrypt overwrites its own work space. Python
strings that held it before are freed but not overwritten, which Python cannot do.
"""

from __future__ import annotations

import ctypes
import errno
import hmac
import os
from collections.abc import Sequence

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Secret
from gprov.ports.secrets import PasswordHasher

_NAME = "libcrypt"
# crypt.h
_CRYPT_DATA_SIZE = 32768
_GENSALT_OUTPUT_SIZE = 192
_MAX_PASSPHRASE_BYTES = 511
# Schemes that Debian's PAM accepts, best first: yescrypt, SHA-512; cost 0 is the library's default.
_PREFIXES = (b"$y$", b"$6$")
# What libxcrypt reports for a setting that it cannot take: the stored text is no hash.
_NO_SETTING = (errno.EINVAL, errno.ERANGE)


# With and without the functions of glibc's libcrypt that libxcrypt replaced. Distributions have one of the two.
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2")


class CryptPasswordHasher(PasswordHasher):
    """``libraries``: names, of which the first that can be loaded is used."""

    def __init__(self, libraries: Sequence[str] = _LIBRARIES) -> None:
        self._libraries = libraries
        self._loaded: ctypes.CDLL | None = None

    @override
    def hash(self, password: Secret) -> PasswordHash:
        """Raises BadInput (a password that crypt(5) cannot take), DeviceMissing (no library), DeviceFault."""
        for prefix in _PREFIXES:
            salt = self._salt(prefix)
            if salt is not None:
                return PasswordHash(self._crypt(_bytes_of(password), salt).decode("ascii"))
        raise DeviceFault(_NAME, "supports no hash scheme that PAM accepts")

    @override
    def matches(self, password: Secret, stored: PasswordHash) -> bool:
        try:
            typed, setting = _bytes_of(password), stored.encode("ascii")
        except (BadInput, UnicodeEncodeError):
            return False
        # crypt(5): no setting of a scheme begins otherwise; "!" and "*" mark locked accounts.
        if not typed or not setting.startswith(b"$"):
            return False
        try:
            return hmac.compare_digest(self._crypt(typed, setting), setting)
        except DeviceFault as fault:
            if fault.errno in _NO_SETTING:
                return False
            raise

    def _salt(self, prefix: bytes) -> bytes | None:
        """A setting with a fresh salt; None if the library was built without that scheme."""
        output = ctypes.create_string_buffer(_GENSALT_OUTPUT_SIZE)
        entropy = os.urandom(32)
        made = self._crypt_library().crypt_gensalt_rn(prefix, 0, entropy, len(entropy), output, len(output))
        return output.value if made else None

    def _crypt(self, password: bytes, setting: bytes) -> bytes:
        phrase = ctypes.create_string_buffer(password)
        data = ctypes.create_string_buffer(_CRYPT_DATA_SIZE)
        try:
            result = self._crypt_library().crypt_rn(phrase, setting, data, len(data))
            if result is None:
                code = ctypes.get_errno()
                raise fault_from_oserror(_NAME, "cannot hash a password", OSError(code, os.strerror(code)))
            return bytes(result)
        finally:
            ctypes.memset(phrase, 0, len(phrase))
            ctypes.memset(data, 0, len(data))

    def _crypt_library(self) -> ctypes.CDLL:
        if self._loaded is None:
            library = self._load()
            text, size = ctypes.c_char_p, ctypes.c_int
            library.crypt_rn.argtypes = [text, text, ctypes.c_void_p, size]
            library.crypt_rn.restype = text
            library.crypt_gensalt_rn.argtypes = [text, ctypes.c_ulong, text, size, text, size]
            library.crypt_gensalt_rn.restype = text
            self._loaded = library
        return self._loaded

    def _load(self) -> ctypes.CDLL:
        failed: OSError | None = None
        for name in self._libraries:
            try:
                return ctypes.CDLL(name, use_errno=True)
            except OSError as exc:
                failed = failed or exc
        raise DeviceMissing(" or ".join(self._libraries), f"cannot load: {failed}") from failed


def _bytes_of(password: Secret) -> bytes:
    try:
        raw = password.reveal().encode()
    except UnicodeEncodeError:
        raise BadInput("password", [Problem("", "is not valid Unicode")]) from None  # the cause would hold the password
    if b"\0" in raw:
        raise BadInput("password", [Problem("", "contains a NUL character")])
    if len(raw) > _MAX_PASSPHRASE_BYTES:
        raise BadInput("password", [Problem("", f"is longer than {_MAX_PASSPHRASE_BYTES} bytes")])
    return raw
