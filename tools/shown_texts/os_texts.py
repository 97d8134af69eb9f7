"""Texts that are not gprov's: reasons of the operating system and of libraries, which a unit shows behind its own texts
as they are."""

from __future__ import annotations

import errno
import os

# Errors of the calls that programs of a unit make (errno(3)).
_ERRORS = (
    *("EPERM", "ENOENT", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN", "ENOMEM", "EACCES"),
    *("EFAULT", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY"),
    *("ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE", "ERANGE", "EDEADLK", "ENAMETOOLONG"),
    *("ENOSYS", "ENOTEMPTY", "ELOOP", "ENODATA", "ETIME", "ECOMM", "EPROTO", "EBADMSG", "EOVERFLOW", "EILSEQ"),
    *("EUSERS", "EMSGSIZE", "EOPNOTSUPP", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ECONNABORTED"),
    *("ECONNRESET", "ENOBUFS", "ENOTCONN", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY"),
    *("EINPROGRESS", "ESTALE", "EUCLEAN", "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "EKEYREJECTED"),
)
# X509_verify_cert_error_string(3), and Python's for names.
_CERTIFICATES = (
    "certificate has expired",
    "certificate is not yet valid",
    "certificate revoked",
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "unable to get issuer certificate",
    "unable to get local issuer certificate",
    "unable to verify the first certificate",
    "invalid CA certificate",
    "unsuitable certificate purpose",
    "EE certificate key too weak",
    "CA signature digest algorithm too weak",
    "Hostname mismatch, certificate is not valid for '{name}'.",
    "IP address mismatch, certificate is not valid for '{address}'.",
)


# json.JSONDecodeError of Python's decoder, and ValueError of its numbers.
_JSON = (
    "Expecting value",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Expecting property name enclosed in double quotes",
    "Extra data",
    "Illegal trailing comma before end of array",
    "Illegal trailing comma before end of object",
    "Invalid \\escape",
    "Invalid \\uXXXX escape",
    "Invalid control character at",
    "Unterminated string starting at",
)
# lzma.LZMAError.
_LZMA = (
    "Compressed data ended before the end-of-stream marker was reached",
    "Corrupt input data",
    "Input format not supported by decoder",
    "Memory usage limit exceeded",
    "Unsupported integrity check",
)


def os_texts() -> tuple[str, ...]:
    """Each once, in order."""
    errors = (os.strerror(getattr(errno, name)) for name in _ERRORS)
    return tuple(sorted({*errors, *_CERTIFICATES, *_JSON, *_LZMA}))
