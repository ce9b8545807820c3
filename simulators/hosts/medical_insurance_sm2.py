"""The platform's own SM2 (GB/T 32918) with TEST keys: OpenSSL's program signs and checks."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from asn1crypto import keys, pem
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

CURVE = "1.2.156.10197.1.301"
# The terminal's TEST key is the private key of the worked example in GB/T 32918.5: everybody knows it.
TERMINAL_PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PLATFORM_PRIVATE = int.from_bytes(b"TEST platform key, not a secret.", "big")
_RAW = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")

keys.NamedCurve.register("sm2", CURVE, 32)


def private_pem(private: int) -> bytes:
    """SEC 1, without the public key: OpenSSL finds it."""
    curve = keys.ECDomainParameters(name="named", value=CURVE)
    key = keys.ECPrivateKey({"version": 1, "private_key": private, "parameters": curve})
    armored: bytes = pem.armor("EC PRIVATE KEY", key.dump())
    return armored


@cache
def public_pem(private: int) -> bytes:
    return _openssl("pkey", "-pubout", given=private_pem(private))


def signature(text: bytes, private: int) -> bytes:
    """r and s, 32 bytes each."""
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        key.write_bytes(private_pem(private))
        r, s = decode_dss_signature(_openssl("pkeyutl", "-sign", "-inkey", str(key), *_RAW, given=text))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def holds(text: bytes, signed: bytes, public: bytes) -> bool:
    """``public``: PEM."""
    if len(signed) != 64:
        return False
    with tempfile.TemporaryDirectory() as folder:
        key, told = Path(folder) / "key", Path(folder) / "signature"
        key.write_bytes(public)
        told.write_bytes(encode_dss_signature(int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")))
        try:
            _openssl("pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-sigfile", str(told), *_RAW, given=text)
        except subprocess.CalledProcessError:
            return False
    return True


def _openssl(*asked: str, given: bytes) -> bytes:
    command = ("openssl", *asked)
    return subprocess.run(command, input=given, capture_output=True, timeout=10, check=True).stdout  # fixed words
