"""What the card's issuer, its PSAM and the province's HSM compute with the TEST keys. One place for all three.

INVENTED: the real algorithms and derivations are regional and not public. Here every card key is made from a master
key in two PBOC-style steps (city factor, then the last eight bytes of the ATR) under two-key 3DES.
"""

from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from simulators.worlds.world import Keys


def encrypt(key: bytes, blocks: bytes) -> bytes:
    """3DES-ECB under a 16-byte key; ``blocks`` is a multiple of 8 bytes."""
    encryptor = Cipher(TripleDES(key + key[:8]), modes.ECB()).encryptor()  # noqa: S305 - what cards of this age do
    return encryptor.update(blocks) + encryptor.finalize()


@lru_cache(maxsize=1024)
def diversify(key: bytes, factor: bytes) -> bytes:
    """A 16-byte child key from an 8-byte factor: E(factor) and E(not factor)."""
    return encrypt(key, factor + bytes(byte ^ 0xFF for byte in factor))


def city_factor(city: str) -> bytes:
    """Six-digit division code -> the eight ASCII bytes of the observed flow, ``410100sx``."""
    return f"{city}sx".encode("ascii")


def card_key(master_hex: str, city: str, seed: bytes) -> bytes:
    """One card's own key; ``seed`` is the last 8 bytes of its ATR."""
    return diversify(diversify(bytes.fromhex(master_hex), city_factor(city)), seed[-8:])


def internal_response(keys: Keys, city: str, seed: bytes, challenge: bytes) -> bytes:
    """What a genuine card answers to a 16-byte challenge: 16 bytes."""
    return encrypt(card_key(keys.internal_authentication, city, seed), challenge)


def external_cryptogram(keys: Keys, city: str, seed: bytes, card_random: bytes) -> bytes:
    """The 8 bytes that open the holder's file for the card's 8-byte random."""
    return encrypt(card_key(keys.read_ssse, city, seed), card_random)
