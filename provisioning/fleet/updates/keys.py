"""Keys that sign releases. A person's key is that person's own: in a file under a passphrase, or behind PKCS#11.

The server holds one key of its own, for snapshot and timestamp, which name no software.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, Signature, Signer, SSlibKey

from provisioning.fleet.actor import Refused

NAME = "x-yikatong-name"  # in a public key: whose it is, for people who read a root
PASSPHRASE_CHARACTERS_MIN = 12
TOOL_S_MAX = 60.0


def make_key(path: Path, name: str, passphrase: str) -> Key:
    """A new Ed25519 key: ``path`` (private, mode 0600, encrypted) and ``path`` with suffix .public.json.

    Raises:
        Refused: the passphrase is too short, or the file is there already.
    """
    if len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
        raise Refused("short_passphrase", f"The passphrase needs at least {PASSPHRASE_CHARACTERS_MIN} characters.")
    return _made(path, name, BestAvailableEncryption(passphrase.encode()))


def online_key(path: Path) -> CryptoSigner:
    """The server's own, made at its first use. Without a passphrase: nobody is there to type it at a restart."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _made(path, "online", NoEncryption())
    return file_signer(path, "")


def _made(path: Path, name: str, protection: KeySerializationEncryption) -> Key:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused("key_exists", f"{path} is there already; nothing was changed.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    key = SSlibKey.from_crypto(private.public_key())
    write_public(path.with_suffix(".public.json"), key, name)
    return key


def file_signer(path: Path, passphrase: str) -> CryptoSigner:
    """Raises Refused: unreadable, or the passphrase is not the one."""
    try:
        private = load_pem_private_key(path.read_bytes(), passphrase.encode() or None)
    except OSError as error:
        raise Refused("no_key", f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("wrong_passphrase", f"{path}: not a key, or not with this passphrase.") from None
    return CryptoSigner(private)


def write_public(path: Path, key: Key, name: str) -> None:
    path.write_text(json.dumps({"keyid": key.keyid, **key.to_dict(), NAME: name}, indent=1) + "\n", encoding="utf-8")


def read_public(path: Path) -> Key:
    """As ``write_public`` left it. Raises Refused: it is none."""
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        return Key.from_dict(told.pop("keyid"), told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused("no_public_key", f"{path}: not a public key of a signer.") from None


def name_of(key: Key) -> str:
    """Whose key it is, or the beginning of its number."""
    return str(key.unrecognized_fields.get(NAME) or key.keyid[:12])


class TokenSigner(Signer):
    """A P-256 key that never leaves its token, by OpenSC's pkcs11-tool (Debian package opensc).

    Not by securesystemslib's own HSM signer: that wants python-pkcs11, a C extension that Debian 12 does not carry.
    ``pin``: asked for at each signature, and handed over in the environment, which only this user can read.
    """

    def __init__(self, module: Path, token: str, key_id: str, pin: Callable[[], str], public_key: Key) -> None:
        self._module, self._token, self._key_id, self._pin = module, token, key_id, pin
        self._public_key = public_key

    @property
    def public_key(self) -> Key:
        return self._public_key

    @classmethod
    def open(cls, module: Path, token: str, key_id: str, pin: Callable[[], str]) -> "TokenSigner":
        """Raises Refused: no such module, token or key."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "public"
            _tool(module, token, ["--read-object", "--type", "pubkey", "--id", key_id, "--output-file", str(out)])
            public = load_der_public_key(out.read_bytes())
        return cls(module, token, key_id, pin, SSlibKey.from_crypto(public))

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: Any = None) -> "TokenSigner":
        raise NotImplementedError("opened by module, token and key, not by a URI")

    def sign(self, payload: bytes) -> Signature:
        """Raises Refused: wrong PIN, or the token is gone."""
        with tempfile.TemporaryDirectory() as folder:
            # The digest is made here: many tokens know ECDSA alone and not the mechanism that hashes, too.
            (Path(folder) / "payload").write_bytes(hashlib.sha256(payload).digest())
            how = ["--sign", "--id", self._key_id, "--mechanism", "ECDSA", "--signature-format", "openssl"]
            files = ["--input-file", f"{folder}/payload", "--output-file", f"{folder}/signature"]
            login = ["--login", "--pin", "env:YIKATONG_TOKEN_PIN"]
            _tool(self._module, self._token, [*how, *files, *login], {"YIKATONG_TOKEN_PIN": self._pin()})
            made = (Path(folder) / "signature").read_bytes()
        return Signature(self.public_key.keyid, made.hex())


def _tool(module: Path, token: str, arguments: list[str], more: dict[str, str] | None = None) -> None:
    command = ["pkcs11-tool", "--module", str(module), "--token-label", token, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TOOL_S_MAX, env={**os.environ, **(more or {})})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused("no_token", f"pkcs11-tool did not run: {type(error).__name__}") from None
    if done.returncode:
        raise Refused("token_refused", f"The token {token} did not do it: wrong PIN, or no such key on it.")
