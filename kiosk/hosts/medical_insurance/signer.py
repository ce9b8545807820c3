"""How a region wants messages signed: by the hospital's front end, by gateway headers, or as encData/signData.

In production the front end signs and this terminal holds no institution key (money-rules 31); the other two exist for
the sandbox, with TEST keys.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from kiosk.hosts.medical_insurance.sm import sm3, sm4_decrypt, sm4_encrypt
from kiosk.hosts.shape import BadShape, Part, read

SM_VERSION = "1.0.0"
_UNSIGNED = ("signData", "encData", "extra")


@dataclass(frozen=True)
class Sealed:
    """What goes out: the body as bytes, and the headers of the family."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Signer(Protocol):
    def seal(self, message: bytes) -> Sealed: ...

    def opened(self, body: Any) -> Any:
        """The answer's envelope. Raises BadShape: wrongly signed, or not what this family sends."""
        ...


class SignatureMaker(Protocol):
    """``kind`` is signType: ``Sm3Signature`` here, ``sm2.Sm2Signature``, or a device that keeps its key."""

    @property
    def kind(self) -> str: ...

    def sign(self, text: bytes) -> bytes: ...

    def valid(self, text: bytes, signature: bytes) -> bool: ...


class FrontEndSigner:
    """The hospital's front end signs what it passes on, and checks what it gets."""

    def seal(self, message: bytes) -> Sealed:
        return Sealed(message)

    def opened(self, body: Any) -> Any:
        return body


class GatewaySigner:
    """Family (a): four headers. Answers are not signed in this family; mutual TLS is what vouches for them."""

    def __init__(self, paasid: str, token: str, seconds: Callable[[], int], nonce: Callable[[], str]) -> None:
        self._paasid = paasid
        self._token = token
        self._seconds = seconds
        self._nonce = nonce

    def seal(self, message: bytes) -> Sealed:
        timestamp, nonce = str(self._seconds()), self._nonce()
        return Sealed(
            message,
            {
                "x-tif-paasid": self._paasid,
                "x-tif-timestamp": timestamp,
                "x-tif-nonce": nonce,
                "x-tif-signature": gateway_signature(timestamp, self._token, nonce),
            },
        )

    def opened(self, body: Any) -> Any:
        return body


def gateway_signature(timestamp: str, token: str, nonce: str) -> str:
    """Hex SHA-256 of timestamp + token + nonce + timestamp."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest()


class Sm3Signature:
    """signType SM3: the digest of a text that ends with the secret."""

    kind = "SM3"

    def sign(self, text: bytes) -> bytes:
        return sm3(text)

    def valid(self, text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), signature)


class _Encrypted(Part, rename="camel"):
    enc_data: str


class _SmEnvelope(Part, rename="camel"):
    app_code: str
    version: str
    enc_type: str
    sign_type: str
    timestamp: int | str
    data: _Encrypted
    sign_data: str


class SmSigner:
    """Family (b): the message encrypted by SM4 under a key made of code and secret, the rest signed with it.

    INVENTED where public adapters differ: encData is upper-case hex, ``data`` in the text to sign is the message byte
    for byte, and an SM2 signature is r and s of 32 bytes each.
    """

    def __init__(self, app_code: str, app_secret: str, signature: SignatureMaker, seconds: Callable[[], int]) -> None:
        self._app_code = app_code
        self._app_secret = app_secret
        self._signature = signature
        self._seconds = seconds
        self._key = sm4_key(app_code, app_secret)

    def seal(self, message: bytes) -> Sealed:
        timestamp = str(self._seconds())
        signature = self._signature.sign(self._text(self._app_code, timestamp, message))
        body = {
            "appCode": self._app_code,
            "version": SM_VERSION,
            "encType": "SM4",
            "signType": self._signature.kind,
            "timestamp": timestamp,
            "data": {"encData": sm4_encrypt(self._key, message).hex().upper()},
            "signData": base64.b64encode(signature).decode(),
        }
        return Sealed(msgspec.json.encode(body))

    def opened(self, body: Any) -> Any:
        told = read(body, _SmEnvelope)
        if (told.app_code, told.enc_type, told.sign_type) != (self._app_code, "SM4", self._signature.kind):
            raise BadShape("signed for somebody else")
        try:
            message = sm4_decrypt(self._key, bytes.fromhex(told.data.enc_data))
            signature = base64.b64decode(told.sign_data, validate=True)
        except (ValueError, binascii.Error):
            raise BadShape("cannot be decrypted") from None
        if not self._signature.valid(self._text(told.app_code, str(told.timestamp), message), signature):
            raise BadShape("wrongly signed")
        return _decoded(message)

    def _text(self, app_code: str, timestamp: str, message: bytes) -> bytes:
        fields = {
            "appCode": app_code.encode(),
            "data": message,
            "encType": b"SM4",
            "signType": self._signature.kind.encode(),
            "timestamp": timestamp.encode(),
            "version": SM_VERSION.encode(),
        }
        return text_to_sign(fields, self._app_secret)


def text_to_sign(fields: Mapping[str, bytes], secret: str) -> bytes:
    """Non-empty fields in ASCII order as ``k=v&k=v``, then ``&key=`` and the secret."""
    shown = [name.encode() + b"=" + fields[name] for name in sorted(fields) if name not in _UNSIGNED and fields[name]]
    return b"&".join([*shown, b"key=" + secret.encode()])


def sm4_key(app_code: str, app_secret: str) -> bytes:
    """16 ASCII characters: the head of the upper-case hex of the secret encrypted under the code."""
    return sm4_encrypt(app_code.encode()[:16].ljust(16, b"0"), app_secret.encode()).hex().upper()[:16].encode()


def _decoded(message: bytes) -> Any:
    try:
        return json.loads(message, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadShape("not JSON inside") from None
