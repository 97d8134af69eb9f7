"""Password fields of passwd(5) and shadow(5) that the empty password matches.

Besides the empty field these are the hashes that crypt(5) makes of the empty password without a salt: each scheme has
one. Of DES, which always has a salt, one is known from live systems. Hashes of the empty password with another salt are
not found: each of them would have to be computed.
"""

from __future__ import annotations

import re

_HASHES = frozenset(
    (
        b"$1$$qRPK7m23GJusamGpoGLby/",
        b"$3$$31d6cfe0d16ae931b73c59d7e0c089c0",
        b"$5$$3c2QQ0KjIU1OLtB29cl8Fplc2WN7X89bnoEjaR7tWu.",
        b"$6$$/chiBau24cE26QQVW3IfIe68Xu5.JQ4E8Ie7lcRLwqxO5cxGuBhqF2HmTL.zWJ9zjChg3yJYFXeGBQ2y3Ba1d1",
        b"$y$j9T$$EBiO75E.nlsNSY6EaCJLzant.b1uUsOgoDdj78FKfO7",
    )
)
_DES = frozenset((b"U6aMy0wojraho", b"..X8NBuQ4l6uQ"))
# pam_unix cuts what follows the 13 characters of DES from the first on that cannot be part of a hash (password aging of
# HP-UX).
_AGING = re.compile(rb"[^./0-9A-Za-z]")


def matches_empty_password(field: bytes) -> bool:
    """Whether a person who types nothing as the password is let in, as far as that is known without computing it."""
    if not field or field in _HASHES:
        return True
    return field[:13] in _DES and (len(field) == 13 or _AGING.match(field, 13) is not None)
