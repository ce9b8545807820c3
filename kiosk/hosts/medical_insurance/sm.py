"""SM3 and SM4 as the signing family needs them, over OpenSSL; SM2 is in ``sm2``."""

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK_BITS = 128


def sm3(text: bytes) -> bytes:
    """32 bytes (GB/T 32905)."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(text)
    return digest.finalize()


def sm4_encrypt(key: bytes, plain: bytes) -> bytes:
    """SM4 (GB/T 32907) in ECB with PKCS#7 padding: the interface asks for this mode. ``key``: 16 bytes."""
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305  # the interface's own choice
    return encryptor.update(padded) + encryptor.finalize()


def sm4_decrypt(key: bytes, secret: bytes) -> bytes:
    """Raises ValueError: not what ``sm4_encrypt`` makes under this key."""
    decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()  # noqa: S305  # the interface's own choice
    padded = decryptor.update(secret) + decryptor.finalize()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
