"""SM2 signatures (GB/T 32918.2) by OpenSSL's own program, because ``cryptography`` does not have them.

For TEST keys in the sandbox and for checking what a platform signed; in production the hospital's front end signs
(money-rules 31). A signature costs one short process, a few milliseconds.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from kiosk.ports import HostRefused

OPENSSL = "openssl"
OPENSSL_S_MAX = 5.0
USER_ID = "1234567812345678"  # GM/T 0009: where nobody agreed on another one
BYTES = 32


@dataclass(frozen=True)
class Sm2Signature:
    """Implements ``signer.SignatureMaker``. Both keys are PEM files: our TEST private key, the platform's public key.

    Signatures are r and s of 32 bytes each.
    """

    private: Path
    platform: Path
    kind: str = "SM2"

    def sign(self, text: bytes) -> bytes:
        """Raises HostRefused: OpenSSL did not sign, so the message surely is not sent."""
        made = _pkeyutl("-sign", "-inkey", str(self.private), text=text)
        if made is None:
            raise HostRefused("medical_insurance", "not_signed")
        r, s = decode_dss_signature(made)
        return r.to_bytes(BYTES, "big") + s.to_bytes(BYTES, "big")

    def valid(self, text: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * BYTES:
            return False
        r, s = int.from_bytes(signature[:BYTES], "big"), int.from_bytes(signature[BYTES:], "big")
        asked = ("-verify", "-pubin", "-inkey", str(self.platform))
        return _pkeyutl(*asked, text=text, signature=encode_dss_signature(r, s)) is not None


def sm2_signature(private: Path, platform: Path) -> Sm2Signature:
    """From settings.

    Raises:
        ValueError: no such keys, or an OpenSSL that cannot use them; the message holds neither.
    """
    made = Sm2Signature(private, platform)
    for asked in (("-in", str(private)), ("-pubin", "-in", str(platform))):
        if b"SM2" not in (_openssl("pkey", "-noout", "-text_pub", *asked) or b""):
            raise ValueError("SM2 keys: not a PEM file that OpenSSL reads")
    return made


def _pkeyutl(*asked: str, text: bytes, signature: bytes = b"") -> bytes | None:
    how = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{USER_ID}")
    if not signature:
        return _openssl("pkeyutl", *asked, *how, text=text)
    held = os.memfd_create("signature")
    try:
        os.write(held, signature)
        return _openssl("pkeyutl", *asked, *how, "-sigfile", f"/proc/self/fd/{held}", text=text, lent=(held,))
    finally:
        os.close(held)


def _openssl(*asked: str, text: bytes = b"", lent: tuple[int, ...] = ()) -> bytes | None:
    """What OpenSSL printed; None when it refused or did not end in time."""
    try:
        ended = subprocess.run(  # fixed words and the settings' own file names, never a shell
            (OPENSSL, *asked), input=text, capture_output=True, timeout=OPENSSL_S_MAX, pass_fds=lent, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None
