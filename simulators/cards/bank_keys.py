"""What a bank's card and its issuer compute with the TEST keys, in one place for both.

From memory of public EMV and PBOC texts, not from a source at hand, so TEST: card keys from PAN and sequence ("option
A"), session keys from the ATC, cryptograms by ISO 9797-1 algorithm 3 with padding 80 00. The RSA keys come from a seed,
so that every process of a run has the same ones; anybody can compute them, and production must never hold them.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from simulators.cards.keys import diversify, encrypt

RID = bytes.fromhex("A000000333")
CA_INDEX = 0xF1
CA_BITS, ISSUER_BITS, CARD_BITS = 1024, 896, 768
_ROUNDS = 8  # of Miller-Rabin; anybody has these keys anyway
_SMALL = math.prod(p for p in range(3, 1000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2)))


@dataclass(frozen=True)
class RsaKey:
    modulus: int
    secret: int
    exponent: int = 3

    @property
    def length(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    @property
    def modulus_bytes(self) -> bytes:
        return self.modulus.to_bytes(self.length, "big")

    def sign(self, block: bytes) -> bytes:
        """``block`` is as long as the modulus and begins with 6A."""
        return pow(int.from_bytes(block, "big"), self.secret, self.modulus).to_bytes(self.length, "big")


@lru_cache(maxsize=64)
def rsa_key(seed: str, bits: int) -> RsaKey:
    """A TEST key that everybody can make again."""
    stream = _numbers(f"yikatong TEST {seed}", bits // 2)
    p, q = _prime(stream), _prime(stream)
    return RsaKey(p * q, pow(3, -1, (p - 1) * (q - 1)))


def _numbers(seed: str, bits: int) -> Iterator[int]:
    counter = 0
    while True:
        raw = hashlib.shake_256(f"{seed} {counter}".encode()).digest(bits // 8)
        counter += 1
        yield int.from_bytes(raw, "big") | (3 << (bits - 2)) | 1


def _prime(stream: Iterator[int]) -> int:
    """The next prime p of the stream for which 3 has an inverse modulo p - 1."""
    return next(number for number in stream if number % 3 == 2 and math.gcd(number, _SMALL) == 1 and _passes(number))


def _passes(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in range(2, 2 + _ROUNDS):
        seen = pow(base, odd, number)
        if seen in (1, number - 1):
            continue
        for _ in range(twos - 1):
            seen = seen * seen % number
            if seen == number - 1:
                break
        else:
            return False
    return True


def ca_key() -> RsaKey:
    return rsa_key("payment system", CA_BITS)


def issuer_rsa() -> RsaKey:
    return rsa_key("issuer", ISSUER_BITS)


def card_rsa(pan: str) -> RsaKey:
    return rsa_key(f"card {pan}", CARD_BITS)


def card_master(master_hex: str, pan: str, sequence: str) -> bytes:
    return diversify(bytes.fromhex(master_hex), bytes.fromhex((pan + sequence)[-16:].rjust(16, "0")))


def session_key(card_key: bytes, atc: bytes) -> bytes:
    away = bytes(byte ^ 0xFF for byte in atc)
    return encrypt(card_key, bytes(6) + atc) + encrypt(card_key, bytes(6) + away)


def retail_mac(key: bytes, message: bytes) -> bytes:
    """ISO 9797-1 algorithm 3, padding method 2; eight bytes."""
    padded = message + b"\x80" + bytes(-(len(message) + 1) % 8)
    state = bytes(8)
    for at in range(0, len(padded), 8):
        state = _des(key[:8], bytes(a ^ b for a, b in zip(state, padded[at : at + 8], strict=True)))
    return encrypt(key, _des(key[:8], state, decrypt=True))


def _des(key: bytes, block: bytes, *, decrypt: bool = False) -> bytes:
    cipher = Cipher(TripleDES(key * 3), modes.ECB())  # noqa: S305 - one block at a time
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(block) + worker.finalize()


def arpc(session: bytes, cryptogram: bytes, code: bytes) -> bytes:
    """Method 1: the issuer's answer to an ARQC and a response code of two characters."""
    return encrypt(session, bytes(a ^ b for a, b in zip(cryptogram, code + bytes(6), strict=True)))


def script_mac(session: bytes, head: bytes, atc: bytes, cryptogram: bytes, data: bytes) -> bytes:
    return retail_mac(session, head + atc + cryptogram + data)[:4]
