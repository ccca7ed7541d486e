"""The Ed25519 profile for Python: nothing but integers and SHA-512, the equation without cofactor."""

import hashlib
import sys
from functools import lru_cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1, 1, 0)


@lru_cache(maxsize=None)
def decode(encoded):
    """The point in extended coordinates, or None when the 32 bytes are not its one encoding."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def add(one, other):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(point, factor):
    result = NEUTRAL
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def same(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


@lru_cache(maxsize=None)
def key_is_sound(key):
    point = decode(key)
    return point is not None and not same(times(point, 8), NEUTRAL) and same(times(point, L), NEUTRAL)


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def accepts(key, message, signature):
    if len(signature) != 64 or not key_is_sound(key):
        return False
    r, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if r is None or same(times(r, 8), NEUTRAL) or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return same(times(BASE, s), add(r, times(decode(key), k)))


for line in sys.stdin:
    print(int(accepts(*map(bytes.fromhex, line.strip().split(":")))))
