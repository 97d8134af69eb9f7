"""Public keys of Ed25519 (RFC 8032 section 5.1) that no signer makes: encodings that are not canonical, and points of
small order, for which a signature may be valid over any message.

Libraries differ in whether they take such keys; gprov refuses them before a library sees them.
"""

from __future__ import annotations

KEY_SIZE = 32
SIGNATURE_SIZE = 64
PRIME = 2**255 - 19
# Order of the base point.
ORDER = 2**252 + 27742317777372353535851937790883648493
_Y_BITS = 2**255 - 1
# y of the points of order 8; the others of small order have y = 0 (order 4), 1 (order 1) and -1 (order 2).
_Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset((0, 1, PRIME - 1, _Y_OF_ORDER_8, PRIME - _Y_OF_ORDER_8))


def key_problem(key: bytes) -> str:
    """Why these bytes are no usable public key; "" if they may be one. (Whether there is a point with this y is not
    checked.)"""
    if len(key) != KEY_SIZE:
        return f"must have {KEY_SIZE} bytes, has {len(key)}"
    y = int.from_bytes(key, "little") & _Y_BITS
    if y >= PRIME:
        return "is not in canonical form"
    if y in _SMALL_ORDER:
        return "is a point of small order: signatures with it prove nothing"
    return ""
