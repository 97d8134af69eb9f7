"""/etc/hosts of an image, edited as bytes (hosts(5)): one line gets the host name of a unit, all other bytes stay."""

from __future__ import annotations

import re

# Debian names the machine itself in a line for 127.0.1.1, beside "127.0.0.1 localhost".
_OWN_LINE = re.compile(rb"^[ \t]*127\.0\.1\.1[ \t]+([^#\r\n]*?)[ \t]*(?=[#\r\n]|$)", re.MULTILINE)
_LOOPBACK_LINE = re.compile(rb"^[ \t]*127\.0\.0\.1[ \t]+([^#\r\n]*?)[ \t]*(?=[#\r\n]|$)", re.MULTILINE)
_DEFAULT = b"127.0.0.1   %s localhost\n::1         localhost ip6-localhost ip6-loopback\n"


def set_host_name(hosts: bytes | None, name: str) -> bytes:
    """The file with ``name`` in it. In the first line for 127.0.1.1 it replaces all names: they belong to the machine
    that the image was made on. Without such a line it becomes the first name in the first line for 127.0.0.1, and
    without that a line of its own at the end. ``hosts`` None: the image has no such file, which is then made."""
    own = name.encode("ascii")
    if hosts is None:
        return _DEFAULT % own
    found = _OWN_LINE.search(hosts)
    if found is not None:
        return _with_names(hosts, found, own)
    found = _LOOPBACK_LINE.search(hosts)
    if found is not None:
        names = found[1].split()
        return hosts if own in names else _with_names(hosts, found, own + b" " + found[1] if names else own)
    separator = b"" if not hosts or hosts.endswith(b"\n") else b"\n"
    return hosts + separator + b"127.0.0.1\t" + own + b"\n"


def _with_names(hosts: bytes, line: re.Match[bytes], names: bytes) -> bytes:
    return hosts[: line.start(1)] + names + hosts[line.end(1) :]
