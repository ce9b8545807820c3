"""The platform's own SM2 (GB/T 32918), written apart from the terminal's: points in Jacobian coordinates. TEST keys."""

import secrets

from cryptography.hazmat.primitives import hashes

_P = 2**256 - 2**224 - 2**96 + 2**64 - 1
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_ID = b"1234567812345678"
# The terminal's TEST key is the private key of the worked example in GB/T 32918.5: everybody knows it.
TERMINAL_PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PLATFORM_PRIVATE = int.from_bytes(b"TEST platform key, not a secret.", "big")
_Jacobian = tuple[int, int, int]
_NOWHERE: _Jacobian = (1, 1, 0)


def public_key(private: int) -> tuple[int, int]:
    return _affine(_multiple(private, (*_G, 1)))


def public_hex(private: int) -> str:
    """x and y, 128 hex digits: as a settings file holds it."""
    x, y = public_key(private)
    return f"{x:064x}{y:064x}"


def signature(text: bytes, private: int) -> bytes:
    """r and s, 32 bytes each."""
    e = _e(text, public_key(private))
    for _ in range(100):
        k = secrets.randbelow(_N - 1) + 1
        r = (e + _affine(_multiple(k, (*_G, 1)))[0]) % _N
        s = (k - r * private) * pow(private + 1, _N - 2, _N) % _N
        if r and s and (r + k) % _N:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    raise AssertionError("a hundred unlucky numbers in a row")


def holds(text: bytes, signed: bytes, public: tuple[int, int]) -> bool:
    r, s = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")
    if len(signed) != 64 or not 1 <= r < _N or not 1 <= s < _N or (r + s) % _N == 0:
        return False
    meeting = _sum(_multiple(s, (*_G, 1)), _multiple((r + s) % _N, (*public, 1)))
    return meeting[2] != 0 and (_e(text, public) + _affine(meeting)[0] - r) % _N == 0


def _e(text: bytes, public: tuple[int, int]) -> int:
    parts = [number.to_bytes(32, "big") for number in (_P - 3, _B, *_G, *public)]
    z = _sm3(b"\x00\x80" + _ID + b"".join(parts))
    return int.from_bytes(_sm3(z + text), "big")


def _sm3(text: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(text)
    return digest.finalize()


def _multiple(times: int, point: _Jacobian) -> _Jacobian:
    """From the highest bit down."""
    result = _NOWHERE
    for bit in f"{times:b}":
        result = _double(result)
        if bit == "1":
            result = _sum(result, point)
    return result


def _double(point: _Jacobian) -> _Jacobian:
    """With a = -3: alpha = 3 (x - z^2) (x + z^2)."""
    x, y, z = point
    delta, gamma = z * z % _P, y * y % _P
    beta, alpha = x * gamma % _P, 3 * (x - delta) * (x + delta) % _P
    x3 = (alpha * alpha - 8 * beta) % _P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % _P, 2 * y * z % _P


def _sum(one: _Jacobian, other: _Jacobian) -> _Jacobian:
    if one[2] == 0:
        return other
    if other[2] == 0:
        return one
    (x1, y1, z1), (x2, y2, z2) = one, other
    u1, u2 = x1 * z2 * z2 % _P, x2 * z1 * z1 % _P
    s1, s2 = y1 * z2**3 % _P, y2 * z1**3 % _P
    if u1 == u2:
        return _double(one) if s1 == s2 else _NOWHERE
    h, r = u2 - u1, s2 - s1
    x3 = (r * r - h**3 - 2 * u1 * h * h) % _P
    return x3, (r * (u1 * h * h - x3) - s1 * h**3) % _P, h * z1 * z2 % _P


def _affine(point: _Jacobian) -> tuple[int, int]:
    x, y, z = point
    inverse = pow(z, -1, _P)
    return x * inverse**2 % _P, y * inverse**3 % _P
