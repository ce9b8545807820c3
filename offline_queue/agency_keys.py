"""The agency's public keys, from the files that the settings name."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kiosk.settings.config import AgencyKeys, ConfigError

BITS_MAX = 4096  # a wrapped row must fit the QR code of a narrow receipt


def recovery_key(keys: AgencyKeys) -> RSAPublicKey | None:
    """None: this terminal wraps nothing for the agency.

    Raises:
        ConfigError: the settings name a file that holds no such key.
    """
    if not keys.recovery:
        return None
    key = _loaded(keys.recovery)
    if not isinstance(key, RSAPublicKey):
        raise ConfigError(f"{keys.recovery}: not an RSA key")
    if key.key_size > BITS_MAX:
        raise ConfigError(f"{keys.recovery}: {key.key_size} bits make codes that no receipt can carry; {BITS_MAX} do")
    return key


def document_keys(keys: AgencyKeys) -> Mapping[str, Ed25519PublicKey]:
    """Raises ConfigError."""
    return {name: _signer(file) for name, file in keys.documents.items()}


def ledger_keys(keys: AgencyKeys) -> Mapping[str, Ed25519PublicKey]:
    """Who may say which rows the agency keeps: whoever signs documents, and the ledger. Raises ConfigError."""
    return {**{name: _signer(file) for name, file in keys.ledger.items()}, **document_keys(keys)}


def _signer(file: str) -> Ed25519PublicKey:
    key = _loaded(file)
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{file}: not an Ed25519 key")
    return key


def _loaded(file: str) -> PublicKeyTypes:
    try:
        return load_pem_public_key(Path(file).read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{file}: no public key: {type(error).__name__}") from error
