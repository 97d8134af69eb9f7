"""SignatureVerifier port on libcrypto (OpenSSL 3), called through ctypes: the initramfs has no package
``cryptography``, and the library is there for TLS.

Functions: ``EVP_PKEY_new_raw_public_key(3)`` and ``EVP_DigestVerify(3)``, as ``EVP_SIGNATURE-ED25519(7)`` asks for: the
whole message at once, no digest. They refuse an S that is not below the order (``tests/unit/contract``).
"""

from __future__ import annotations

import ctypes

from typing_extensions import override

from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.ed25519 import SIGNATURE_SIZE, key_problem
from gprov.ports.signatures import SignatureVerifier

LIBRARY = "libcrypto.so.3"
_ED25519 = 1087  # NID_ED25519, which EVP_PKEY_ED25519 stands for (openssl/obj_mac.h)
_VALID = 1


class LibcryptoVerifier(SignatureVerifier):
    """The library is opened by the first check."""

    def __init__(self, library: str = LIBRARY) -> None:
        self._name = library
        self._library: ctypes.CDLL | None = None

    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        if key_problem(key) or len(signature) != SIGNATURE_SIZE:
            return False
        library = self._opened()
        public = library.EVP_PKEY_new_raw_public_key(_ED25519, None, key, len(key))
        if not public:
            # Not a fault of the library: for some y there is no point.
            library.ERR_clear_error()
            return False
        try:
            return self._check(library, public, signature, message)
        finally:
            library.EVP_PKEY_free(public)

    def _check(self, library: ctypes.CDLL, public: int, signature: bytes, message: bytes) -> bool:
        context = library.EVP_MD_CTX_new()
        if not context:
            raise DeviceFault(self._name, "has no memory for a context")
        try:
            if library.EVP_DigestVerifyInit(context, None, None, None, public) != _VALID:
                raise DeviceFault(self._name, "cannot verify Ed25519 signatures")
            verdict = library.EVP_DigestVerify(context, signature, len(signature), message, len(message))
        finally:
            library.EVP_MD_CTX_free(context)
            library.ERR_clear_error()
        return bool(verdict == _VALID)

    def _opened(self) -> ctypes.CDLL:
        """Raises DeviceMissing, DeviceFault."""
        if self._library is None:
            try:
                self._library = _declared(ctypes.CDLL(self._name))
            except OSError as exc:
                raise DeviceMissing(self._name, f"cannot be loaded: {exc}") from exc
            except AttributeError as exc:
                raise DeviceFault(self._name, f"lacks a function: {exc}") from exc
        return self._library


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """With the types of the functions that are called."""
    pointer, size, data = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    library.EVP_PKEY_new_raw_public_key.argtypes = (ctypes.c_int, pointer, data, size)
    library.EVP_PKEY_new_raw_public_key.restype = pointer
    library.EVP_PKEY_free.argtypes = (pointer,)
    library.EVP_PKEY_free.restype = None
    library.EVP_MD_CTX_new.argtypes = ()
    library.EVP_MD_CTX_new.restype = pointer
    library.EVP_MD_CTX_free.argtypes = (pointer,)
    library.EVP_MD_CTX_free.restype = None
    library.EVP_DigestVerifyInit.argtypes = (pointer, pointer, pointer, pointer, pointer)
    library.EVP_DigestVerifyInit.restype = ctypes.c_int
    library.EVP_DigestVerify.argtypes = (pointer, data, size, data, size)
    library.EVP_DigestVerify.restype = ctypes.c_int
    library.ERR_clear_error.argtypes = ()
    library.ERR_clear_error.restype = None
    return library
