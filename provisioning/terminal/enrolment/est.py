"""Asks for certificates by EST (RFC 7030, RFC 8951)."""

import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from kiosk.ports import OutcomeUnknown, PlainLink

ENROL, RENEW = "/.well-known/est/simpleenroll", "/.well-known/est/simplereenroll"
PKCS10 = "application/pkcs10"
ANSWER_BYTES_MAX = 64 * 1024
ACCEPTED = 202
WAIT_S_MIN, WAIT_S_MAX = 2.0, 3600.0
WAIT_S = 30.0  # where the fleet did not say


async def ask_certificate(link: PlainLink, path: str, request: bytes) -> x509.Certificate | float:
    """The certificate, or in how many seconds to ask again. Harmless to repeat: the same key has the same certificate.

    Raises:
        HostRefused: with the fleet's code.
        OutcomeUnknown: no answer, or none that holds a certificate.
    """
    answer = await link.send(path, request, PKCS10, bytes_max=ANSWER_BYTES_MAX)
    if answer.status == ACCEPTED:
        return min(max(answer.retry_after_s or WAIT_S, WAIT_S_MIN), WAIT_S_MAX)
    try:
        certificates = pkcs7.load_der_pkcs7_certificates(
            base64.b64decode(b"".join(answer.content.split()), validate=True)
        )
    except (ValueError, binascii.Error):
        raise OutcomeUnknown("fleet", "an answer without a certificate") from None
    if len(certificates) != 1:
        raise OutcomeUnknown("fleet", "an answer with several certificates")
    return certificates[0]
