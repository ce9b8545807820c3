"""The platform's side of signing: gateway headers, or encData/signData. TEST code, token and secret."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulators.hosts import medical_insurance_sm2 as sm2

TEST_ID = "test-terminal-01"
TEST_SECRET = "TEST-secret-0001"  # a TEST value


class WronglySigned(Exception):
    pass


@dataclass(frozen=True)
class Unsealed:
    """The message, and whether its answer must be sealed too."""

    message: bytes
    sealed: str = ""  # signType of the question, in which the answer must be sealed too; "" = not sealed


def unsealed(body: bytes, headers: Mapping[str, str]) -> Unsealed:
    """What a front end, a gateway or a sealed envelope carried. Raises WronglySigned."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise WronglySigned from None
    if isinstance(told, dict) and "signData" in told:
        return Unsealed(_unsealed(told), str(told.get("signType")))
    if "x-tif-signature" in headers:
        _check_gateway(headers)
    return Unsealed(body)


def sealed(answer: bytes, timestamp: int, kind: str, *, wrongly: bool) -> bytes:
    """An answer as family (b) sends it; ``kind`` is signType."""
    stamp = str(timestamp)
    text = _text(kind, stamp, answer)
    signed = _sm3(text) if kind == "SM3" else sm2.signature(text, sm2.PLATFORM_PRIVATE)
    if wrongly:
        signed = bytes([signed[0] ^ 1]) + signed[1:]
    return json.dumps(
        {
            "appCode": TEST_ID,
            "version": "1.0.0",
            "encType": "SM4",
            "signType": kind,
            "timestamp": stamp,
            "data": {"encData": _sm4(_key(), answer).hex().upper()},
            "signData": base64.b64encode(signed).decode(),
        }
    ).encode()


def _check_gateway(headers: Mapping[str, str]) -> None:
    stamp, nonce = headers.get("x-tif-timestamp", ""), headers.get("x-tif-nonce", "")
    expected = hashlib.sha256(f"{stamp}{TEST_SECRET}{nonce}{stamp}".encode()).hexdigest()
    if headers["x-tif-signature"] != expected or headers.get("x-tif-paasid") != TEST_ID:
        raise WronglySigned


def _unsealed(told: dict[str, Any]) -> bytes:
    try:
        message = _sm4_back(_key(), bytes.fromhex(told["data"]["encData"]))
        signed = base64.b64decode(told["signData"], validate=True)
        text = _text(told["signType"], str(told["timestamp"]), message)
    except (ValueError, KeyError, TypeError):
        raise WronglySigned from None
    if told.get("appCode") != TEST_ID or not _valid(told["signType"], text, signed):
        raise WronglySigned
    return message


def _valid(kind: str, text: bytes, signed: bytes) -> bool:
    if kind == "SM2":
        return sm2.holds(text, signed, sm2.public_pem(sm2.TERMINAL_PRIVATE))
    return kind == "SM3" and signed == _sm3(text)


def _text(kind: str, timestamp: str, message: bytes) -> bytes:
    """The fields in ASCII order, and the secret."""
    head = f"appCode={TEST_ID}&data=".encode()
    tail = f"&encType=SM4&signType={kind}&timestamp={timestamp}&version=1.0.0&key={TEST_SECRET}".encode()
    return head + message + tail


def _sm3(text: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(text)
    return digest.finalize()


def _key() -> bytes:
    return _sm4(TEST_ID.encode(), TEST_SECRET.encode()).hex().upper()[:16].encode()


def _sm4(key: bytes, plain: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    block = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305  # the interface's own choice
    return block.update(padder.update(plain) + padder.finalize()) + block.finalize()


def _sm4_back(key: bytes, secret: bytes) -> bytes:
    block = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()  # noqa: S305  # the interface's own choice
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(block.update(secret) + block.finalize()) + unpadder.finalize()
