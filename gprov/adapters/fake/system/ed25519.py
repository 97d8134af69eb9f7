"""SignatureVerifier port in plain Python, after RFC 8032 section 5.1: a second implementation, against which the one of
the units is tested. Some milliseconds a check."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from typing_extensions import override

from gprov.domain.formats.ed25519 import KEY_SIZE, ORDER, PRIME, SIGNATURE_SIZE, key_problem
from gprov.ports.signatures import SignatureVerifier

# Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.
Point = tuple[int, int, int, int]
_D = -121665 * pow(121666, -1, PRIME) % PRIME
_ROOT_OF_MINUS_1 = pow(2, (PRIME - 1) // 4, PRIME)


class PythonVerifier(SignatureVerifier):
    @override
    def verifies(self, key: bytes, signature: bytes, message: bytes) -> bool:
        return _verifies(key, signature, message)


@lru_cache(maxsize=4096)  # simulations check the same few signatures thousands of times
def _verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    if key_problem(key) or len(signature) != SIGNATURE_SIZE:
        return False
    public, commitment = _decoded(key), _decoded(signature[:KEY_SIZE])
    scalar = int.from_bytes(signature[KEY_SIZE:], "little")
    if public is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:KEY_SIZE] + key + message).digest(), "little") % ORDER
    return _same(_times(scalar, _BASE), _sum(commitment, _times(challenge, public)))


def _sum(one: Point, other: Point) -> Point:
    """Section 5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % PRIME
    c = 2 * one[3] * other[3] * _D % PRIME
    d = 2 * one[2] * other[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _times(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        factor >>= 1
    return result


def _same(one: Point, other: Point) -> bool:
    return not ((one[0] * other[2] - other[0] * one[2]) % PRIME or (one[1] * other[2] - other[1] * one[2]) % PRIME)


def _decoded(data: bytes) -> Point | None:
    """Section 5.1.3."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= PRIME:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * _ROOT_OF_MINUS_1 % PRIME
    if (x * x - square) % PRIME or (x == 0 and sign):
        return None
    x = PRIME - x if x & 1 != sign else x
    return x, y, 1, x * y % PRIME


def _base() -> Point:
    point = _decoded((4 * pow(5, -1, PRIME) % PRIME).to_bytes(KEY_SIZE, "little"))
    assert point is not None
    return point


_BASE = _base()
