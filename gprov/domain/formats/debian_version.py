"""Versions of gprov as Debian's package manager orders them.

Formats: PEP 440 (``N.N.N``, ``N.N.N.devN``); deb-version(7): a tilde sorts before the end of a version.
"""

from __future__ import annotations

import re

from gprov.domain.errors import BadInput, Problem

_VERSION = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)(?:\.(dev[0-9]+))?")


def debian_version(version: str) -> str:
    """Return the version of Debian packages: ``1.2.3~dev4``, which comes before ``1.2.3``, for ``1.2.3.dev4``. Raises
    BadInput."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise BadInput("version", [Problem("", f"must be N.N.N or N.N.N.devN, is {version!r}")])
    release, stage = found.groups()
    return f"{release}~{stage}" if stage else release
