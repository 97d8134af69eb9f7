"""CodeSignatures port on OpenSSL's libcrypto, which is in the initramfs for Python's ``ssl``.

An Authenticode signature is PKCS #7 SignedData over SpcIndirectDataContent (Microsoft, "Windows Authenticode Portable
Executable Signature Format"). libcrypto knows PKCS #7, but not that content: its bytes are cut out of the DER, as
firmware does it (EDK II, CryptoPkcs7VerifyCommon), and given to PKCS7_verify as what is signed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from typing_extensions import override

from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.code_signatures import CodeSignatures

_NAME = "libcrypto"
_LIBRARIES = ("libcrypto.so.3",)
# openssl/x509_vfy.h
_PARTIAL_CHAIN = 0x80000
_NO_CHECK_TIME = 0x200000
_PURPOSE_ANY = 7  # openssl/x509v3.h
# DER of the object identifiers 1.2.840.113549.1.7.2 (signedData) and 1.3.6.1.4.1.311.2.1.4 (SPC_INDIRECT_DATA).
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_INDIRECT_DATA = bytes.fromhex("060a2b060104018237020104")
# DigestInfo of SHA-256 without its last 32 bytes, with and without the parameter NULL.
_SHA256 = (
    bytes.fromhex("3031300d060960864801650304020105000420"),
    bytes.fromhex("302f300b0609608648016503040201" + "0420"),
)
_INTEGER, _OCTETS, _SET, _SEQUENCE, _EXPLICIT_0 = 0x02, 0x04, 0x31, 0x30, 0xA0


class OpensslCodeSignatures(CodeSignatures):
    """``libraries``: names, of which the first that can be loaded is used."""

    def __init__(self, libraries: Sequence[str] = _LIBRARIES) -> None:
        self._libraries = libraries
        self._loaded: ctypes.CDLL | None = None

    @override
    def verifies(self, signature: bytes, digest: bytes, certificate: bytes) -> bool:
        content = _indirect_data(signature)
        if content is None or not any(content.endswith(head + digest) for head in _SHA256) or len(digest) != 32:
            return False
        library = self._library()
        with ExitStack() as made:

            def keep(value: int | None, free: Callable[[int], object]) -> int:
                if value:
                    made.callback(free, value)
                return value or 0

            made.callback(library.ERR_clear_error)
            message = keep(_decoded(library.d2i_PKCS7, signature), library.PKCS7_free)
            trusted = keep(_decoded(library.d2i_X509, certificate), library.X509_free)
            if not message or not trusted:
                return False
            store = keep(library.X509_STORE_new(), library.X509_STORE_free)
            source = keep(library.BIO_new_mem_buf(content, len(content)), library.BIO_free)
            if not store or not source or not library.X509_STORE_add_cert(store, trusted):
                raise DeviceFault(_NAME, "cannot prepare the check of a signature: out of memory")
            library.X509_STORE_set_flags(store, _PARTIAL_CHAIN | _NO_CHECK_TIME)
            library.X509_STORE_set_purpose(store, _PURPOSE_ANY)
            return bool(library.PKCS7_verify(message, None, store, source, None, 0) == 1)

    def _library(self) -> ctypes.CDLL:
        if self._loaded is None:
            self._loaded = _declared(_first(self._libraries))
        return self._loaded


def _indirect_data(signature: bytes) -> bytes | None:
    """The bytes that are signed: the content of SpcIndirectDataContent without tag and length. None for other PKCS #7.

    ContentInfo { signedData, [0] SignedData { version, digestAlgorithms, ContentInfo { SPC_INDIRECT_DATA, [0] {
    SpcIndirectDataContent } } } } (RFC 2315, 9.1).
    """
    outer = _inside(signature, _SEQUENCE)
    if outer is None or not outer.startswith(_SIGNED_DATA):
        return None
    explicit = _inside(outer[len(_SIGNED_DATA) :], _EXPLICIT_0)
    signed = _inside(explicit, _SEQUENCE)
    for tag in (_INTEGER, _SET):
        signed = _behind(signed, tag)
    info = _inside(signed, _SEQUENCE)
    if info is None or not info.startswith(_INDIRECT_DATA):
        return None
    return _inside(_inside(info[len(_INDIRECT_DATA) :], _EXPLICIT_0), _SEQUENCE)


def _inside(der: bytes | None, tag: int) -> bytes | None:
    """Content of the first element, if it has this tag and is complete (X.690, 8.1)."""
    ends = _ends(der, tag)
    return None if der is None or ends is None else der[ends[0] : ends[1]]


def _behind(der: bytes | None, tag: int) -> bytes | None:
    """What follows the first element, if it has this tag and is complete."""
    ends = _ends(der, tag)
    return None if der is None or ends is None else der[ends[1] :]


def _ends(der: bytes | None, tag: int) -> tuple[int, int] | None:
    if der is None or len(der) < 2 or der[0] != tag:
        return None
    start, length = 2, der[1]
    if length >= 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    return (start, start + length) if start + length <= len(der) else None


def _decoded(decode: Callable[..., int | None], der: bytes) -> int | None:
    """Call a d2i function, which moves the pointer that it gets. None unless all bytes are the value."""
    buffer = ctypes.create_string_buffer(der, len(der))
    place = ctypes.c_void_p(ctypes.addressof(buffer))
    return decode(None, ctypes.byref(place), len(der))


def _first(names: Sequence[str]) -> ctypes.CDLL:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise DeviceMissing(_NAME, f"cannot load {' or '.join(names)}")


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Declare the functions that are used: openssl/pkcs7.h, x509.h, x509_vfy.h, bio.h, err.h."""
    pointer, size = ctypes.c_void_p, ctypes.c_long
    for name, result, arguments in (
        ("d2i_PKCS7", pointer, (pointer, pointer, size)),
        ("PKCS7_free", None, (pointer,)),
        ("d2i_X509", pointer, (pointer, pointer, size)),
        ("X509_free", None, (pointer,)),
        ("X509_STORE_new", pointer, ()),
        ("X509_STORE_free", None, (pointer,)),
        ("X509_STORE_add_cert", ctypes.c_int, (pointer, pointer)),
        ("X509_STORE_set_flags", ctypes.c_int, (pointer, ctypes.c_ulong)),
        ("X509_STORE_set_purpose", ctypes.c_int, (pointer, ctypes.c_int)),
        ("BIO_new_mem_buf", pointer, (ctypes.c_char_p, ctypes.c_int)),
        ("BIO_free", ctypes.c_int, (pointer,)),
        ("PKCS7_verify", ctypes.c_int, (pointer, pointer, pointer, pointer, pointer, ctypes.c_int)),
        ("ERR_clear_error", None, ()),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
