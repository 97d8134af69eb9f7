"""HTTP URLs: validation, file name, and redaction for logs."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote_to_bytes, urlsplit

_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")  # RFC 3986, section 2
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # RFC 1123, and the underscore
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_WITHOUT_SCHEME = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}(/.*)?")
_ANY_USERINFO = re.compile(r"(?<=//)[^/?#\s]*@")  # with quotes too
# With a password that should have been percent-encoded: what stands behind the colon is no port.
_BROKEN_USERINFO = re.compile(r"(?<=//)(?!\[)[^/?#\s]+:(?![0-9]*(?:[/?#\s]|$))\S*@")
# A quote that ends the text is not part of it.
_QUERY = re.compile(r"(//[^?\s]*)\?\S*?(?=[\"']?(?:\s|$))")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")


def url_problem(text: str) -> str | None:
    """Return the error in an absolute http or https URL, or None. The text does not contain the URL."""
    if not _CHARACTERS.fullmatch(text):
        return "is not a URL: it contains characters that must be percent-encoded"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        return f"is not a URL: {exc}"
    if text.startswith("/"):
        return "is a path in the provisioning system: publish the file, and write its URL"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not host or not _valid_host(host):
        return "has no valid host name"
    if port == 0:
        return "has port 0"
    return None


def is_same_origin(one: str, other: str) -> bool:
    """Scheme, host and port of two valid URLs are equal (RFC 6454, section 4). A port that is not written is the
    scheme's."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(scheme, 0)


def with_scheme(text: str) -> str:
    """The address of a server that files of the earlier system write as ``HOST:PORT`` ("10.0.2.2:65432"), as a URL.
    Any other text is returned as it is."""
    match = _WITHOUT_SCHEME.fullmatch(text)
    if match is None:
        return text
    return f"http://{text}" if match[2] else f"http://{text}/"


def base_name(url: str) -> str:
    """The last component of the path, percent-decoded; "" if it ends in a slash or is not UTF-8."""
    try:
        return unquote_to_bytes(urlsplit(url).path.rpartition("/")[2]).decode()
    except ValueError:  # UnicodeDecodeError is one
        return ""


def redacted(url: str) -> str:
    """Remove user name, password and query, for messages. Accepts any text."""
    shown = _USERINFO.sub(lambda match: f"{match[1] or ''}//***@", url)
    path, question, _ = shown.partition("?")
    return f"{path}?***" if question else path


def without_secrets(text: str) -> str:
    """Remove user names, passwords and queries from all URLs in a text, which stay usable."""
    return _QUERY.sub(r"\1", _BROKEN_USERINFO.sub("", _ANY_USERINFO.sub("", text)))


def _valid_host(host: str) -> bool:
    if ":" in host:  # was in brackets
        try:
            return bool(ipaddress.IPv6Address(host))
        except ValueError:
            return False
    return len(host) <= 253 and _HOST.fullmatch(host) is not None
