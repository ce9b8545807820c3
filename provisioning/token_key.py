"""A P-256 key that never leaves its token: a TPM, smart card or HSM behind PKCS#11, used through ``pkcs11-tool``.

A program of its own for each signature, instead of a library in our process: the module's maker's code, and what it
does on a broken token, stay outside; a signature is wanted a few times in a terminal's life. ``TokenKey`` is a private
key to ``cryptography``: it signs requests and certificates as one from a file does.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import utils as asymmetric

TOOL = "pkcs11-tool"
TOOL_S_MAX = 30.0  # a TPM makes a key in seconds at worst
CURVE = "EC:prime256v1"
PIN_NAME = "YIKATONG_TOKEN_PIN"  # read by the tool from its environment: arguments are everybody's to read


class TokenError(Exception):
    """The token did not do it; the message is the tool's own last words, without the PIN."""


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the key is. ``module``: the PKCS#11 library; ``pin_file``: 0600, one line; ``environment``: what the module
    wants to know (TPM2_PKCS11_STORE, TPM2_PKCS11_TCTI, SOFTHSM2_CONF)."""

    module: str
    label: str
    pin_file: str
    key_id: str = "01"
    environment: dict[str, str] = {}

    def uri(self) -> str:
        """RFC 7512, for stunnel and OpenSSL's engine."""
        return f"pkcs11:token={self.label};id=%{self.key_id};type=private"


def find_key(token: Token) -> "TokenKey | None":
    """The key in it, None where there is none yet.

    Raises:
        TokenError: no such token, or it does not answer: then nobody knows whether it holds a key.
    """
    listed = _run(token, "--login", "--list-objects", "--type", "privkey").decode(errors="replace")
    # softhsm lists every key whatever --id says, so the answer is read.
    if not re.search(rf"^\s*ID:\s*{re.escape(token.key_id)}\s*$", listed, re.MULTILINE):
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "public"
        _run(token, "--read-object", "--type", "pubkey", "--id", token.key_id, "--output-file", str(out))
        public = serialization.load_der_public_key(out.read_bytes())
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TokenError("the key in the token is of another kind")
    return TokenKey(token, public)


def make_key(token: Token) -> "TokenKey":
    """The key in it, made where there is none. Raises TokenError."""
    found = find_key(token)
    if found is None:
        wish = ("--key-type", CURVE, "--id", token.key_id, "--label", "yikatong", "--usage-sign")
        _run(token, "--login", "--keypairgen", *wish)
        found = find_key(token)
    if found is None:
        raise TokenError("the key that was made cannot be found")
    return found


class TokenKey(ec.EllipticCurvePrivateKey):
    """Signs inside the token; its secret cannot be read."""

    def __init__(self, token: Token, public: ec.EllipticCurvePublicKey) -> None:
        self.token = token
        self._public = public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """DER, as every other key. Raises TokenError."""
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, asymmetric.Prehashed):
            digest = bytes(data)
        else:
            hashed = hashes.Hash(algorithm)
            hashed.update(data)
            digest = hashed.finalize()
        with tempfile.TemporaryDirectory() as folder:
            asked, out = Path(folder) / "digest", Path(folder) / "signature"
            asked.write_bytes(digest)
            wish = ("--mechanism", "ECDSA", "--signature-format", "openssl", "--id", self.token.key_id)
            _run(self.token, "--login", "--sign", *wish, "--input-file", str(asked), "--output-file", str(out))
            return out.read_bytes()

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        raise TokenError("this key signs and does nothing else")

    def private_numbers(self) -> NoReturn:
        raise TokenError("this key does not leave its token")

    def private_bytes(self, *how: Any) -> NoReturn:
        raise TokenError("this key does not leave its token")

    def __copy__(self) -> "TokenKey":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "TokenKey":
        return self


def _run(token: Token, *arguments: str) -> bytes:
    command = [TOOL, "--module", token.module, "--token-label", token.label, "--pin", f"env:{PIN_NAME}", *arguments]
    try:
        pin = Path(token.pin_file).read_text().strip()
        told = {"PATH": os.environ.get("PATH", "/usr/bin"), PIN_NAME: pin, **token.environment}
        answer = subprocess.run(command, env=told, capture_output=True, timeout=TOOL_S_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TokenError(f"{TOOL}: {type(error).__name__}") from None
    if answer.returncode:
        words = answer.stderr.decode(errors="replace").strip().splitlines() or ["no words"]
        raise TokenError(f"{TOOL}: {words[-1][:200]}")
    return answer.stdout
