"""SM2 signatures (GB/T 32918.2) on the recommended curve (GB/T 32918.5), which ``cryptography`` does not have.

For TEST keys in the sandbox and for checking what a platform signed. Python's integers take time that depends on the
key, so a real private key must never come here; in production the hospital's front end signs (money-rules 31).
"""

from collections.abc import Callable
from dataclasses import dataclass

from kiosk.hosts.medical_insurance.sm import sm3

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
USER_ID = b"1234567812345678"  # GM/T 0009: where nobody agreed on another one
BYTES = 32

Point = tuple[int, int] | None  # None is the point at infinity
_G: Point = (GX, GY)


@dataclass(frozen=True)
class Sm2Signature:
    """Implements ``signer.SignatureMaker``: our TEST private key, and the platform's public key, x and y.

    ``below`` gives a random number from 0 to its argument, exclusive. Signatures are r and s of 32 bytes each.
    """

    private: int
    platform: tuple[int, int]
    below: Callable[[int], int]
    kind: str = "SM2"

    def sign(self, text: bytes) -> bytes:
        public = _times(self.private, _G)
        assert public is not None, "the private key lies between 1 and the order"
        e = _digest(text, public)
        while True:
            k = 1 + self.below(N - 1)
            x, _ = _times(k, _G) or (0, 0)
            r = (e + x) % N
            s = pow(1 + self.private, -1, N) * (k - r * self.private) % N
            if r and s and r + k != N:
                return r.to_bytes(BYTES, "big") + s.to_bytes(BYTES, "big")

    def valid(self, text: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * BYTES or not on_curve(self.platform):
            return False
        r, s = int.from_bytes(signature[:BYTES], "big"), int.from_bytes(signature[BYTES:], "big")
        t = (r + s) % N
        if not (0 < r < N and 0 < s < N and t):
            return False
        point = _plus(_times(s, _G), _times(t, self.platform))
        return point is not None and (_digest(text, self.platform) + point[0]) % N == r


def sm2_signature(private_hex: str, platform_hex: str, below: Callable[[int], int]) -> Sm2Signature:
    """From settings: 64 hex digits, and 128 of x and y.

    Raises:
        ValueError: no such keys; the message holds neither.
    """
    try:
        private, platform = int(private_hex, 16), bytes.fromhex(platform_hex)
    except ValueError:
        raise ValueError("SM2 keys are hex digits") from None
    x, y = int.from_bytes(platform[:BYTES], "big"), int.from_bytes(platform[BYTES:], "big")
    if len(platform) != 2 * BYTES or not on_curve((x, y)) or not 0 < private < N - 1:
        raise ValueError("SM2 keys are out of range")
    return Sm2Signature(private, (x, y), below)


def on_curve(point: tuple[int, int]) -> bool:
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def _digest(text: bytes, public: tuple[int, int]) -> int:
    """e: SM3 of Z and the text; Z binds user id, curve and public key."""
    numbers = (A, B, GX, GY, *public)
    z = sm3(
        (len(USER_ID) * 8).to_bytes(2, "big") + USER_ID + b"".join(number.to_bytes(BYTES, "big") for number in numbers)
    )
    return int.from_bytes(sm3(z + text), "big")


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def _times(factor: int, point: Point) -> Point:
    total: Point = None
    while factor:
        if factor & 1:
            total = _plus(total, point)
        point, factor = _plus(point, point), factor >> 1
    return total
