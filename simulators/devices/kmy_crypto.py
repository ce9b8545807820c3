"""What the simulated pad computes: 3DES, PIN blocks, MACs, check values. Only ever with TEST keys.

Sources: ISO 9564-1 (format 0), ANSI X9.9 / ISO 9797-1 algorithm 1 (CBC MAC), UnionPay terminal texts ("ECB MAC").
"""

import warnings
from collections.abc import Callable
from functools import reduce

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 8
Step = Callable[[bytes], bytes]


def _cipher(key: bytes) -> Cipher[ECB]:
    """Any DES key length as three keys: K becomes KKK, K1K2 becomes K1K2K1."""
    three = {8: key * 3, 16: key + key[:8], 24: key}[len(key)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of equal parts; these pads are what they are
        return Cipher(TripleDES(three), ECB())  # noqa: S305 - one block at a time, as the devices do


def encrypt_ecb(key: bytes, blocks: bytes) -> bytes:
    encryptor = _cipher(key).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def decrypt_ecb(key: bytes, blocks: bytes) -> bytes:
    decryptor = _cipher(key).decryptor()
    return decryptor.update(blocks) + decryptor.finalize()


def check_value(key: bytes) -> bytes:
    """Four bytes of eight zeros under the key."""
    return encrypt_ecb(key, bytes(BLOCK))[:4]


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def pin_block(key: bytes, pin: bytes, pan12: bytes) -> bytes:
    """Format 0 with the account's twelve digits, or the bare PIN field where ``pan12`` is empty."""
    pin_field = bytes.fromhex(f"0{len(pin):X}{pin.decode():F<14}")
    account_field = bytes.fromhex(f"0000{pan12.decode():0>12}")
    return encrypt_ecb(key, xor(pin_field, account_field))


def _blocks(message: bytes) -> list[bytes]:
    padded = message + bytes(-len(message) % BLOCK)
    return [padded[at : at + BLOCK] for at in range(0, len(padded), BLOCK)]


def mac_x9_9(key: bytes, message: bytes) -> bytes:
    """CBC MAC with zero start and zero padding; a double-length key works as 3DES at every step."""
    return reduce(lambda state, block: encrypt_ecb(key, xor(state, block)), _blocks(message), bytes(BLOCK))


def mac_unionpay(key: bytes, message: bytes) -> bytes:
    """XOR of all blocks, as 16 hex characters, enciphered in two steps; eight hex characters of the result."""
    folded = reduce(xor, _blocks(message)).hex().upper().encode()
    first = encrypt_ecb(key, folded[:8])
    return encrypt_ecb(key, xor(first, folded[8:])).hex().upper().encode()[:8]
