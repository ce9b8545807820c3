"""Certificates by EST (RFC 7030, RFC 8951), claims and the time: what a terminal asks before it has a certificate.

nginx lets everybody come this far, and says which key the connection has proven (``X-Client-Cert``); these functions
judge. Whoever is refused stands on the audit trail of the city that knows the serial number, else of the province.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet import ca
from provisioning.fleet.actor import Refused
from provisioning.fleet.enrolment import claims
from provisioning.fleet.enrolment.csr import (
    REQUEST_BYTES_MAX,
    certs_only,
    read_request,
    serial_of,
    shown_certificate,
    shown_fingerprint,
)
from provisioning.fleet.enrolment.issue import Office, enrol, renew
from provisioning.fleet.enrolment.requests import tenant_of
from provisioning.fleet.enrolment.welcome import welcome
from provisioning.fleet.schema.places import PROVINCE
from provisioning.fleet.web import Fleet, fleet_of, problem

PKCS7 = "application/pkcs7-mime; smime-type=certs-only"
ENCODED = {"Content-Transfer-Encoding": "base64"}
WAIT_S = 5  # an installer stands in front of it
WAIT_LATE_S = 300  # two people have to agree
CLAIM_BYTES_MAX = 64 * 1024  # one with an authority and a network has some 8 kB

Judge = Callable[[Fleet, x509.Certificate, bytes, str], Response]


async def simpleenroll(request: Request) -> Response:
    return await _judged(request, _enrol, REQUEST_BYTES_MAX)


async def simplereenroll(request: Request) -> Response:
    return await _judged(request, _renew, REQUEST_BYTES_MAX)


async def claim(request: Request) -> Response:
    """``POST /enrolment/v1/claim``: a signed document of a stick; 204 where this key may ask for a certificate now."""
    return await _judged(request, _bring, CLAIM_BYTES_MAX)


def cacerts(request: Request) -> Response:
    """Whose certificates count, so that a terminal has the next authority before the last one goes."""
    pem = ca.trusted(Path(fleet_of(request).settings.home)).read_bytes()
    return Response(certs_only(x509.load_pem_x509_certificates(pem)), media_type=PKCS7, headers=ENCODED)


def now(request: Request) -> Response:
    """``GET /enrolment/v1/time``: for a terminal whose own clock cannot be right."""
    moment = datetime.fromtimestamp(fleet_of(request).now_ms() / 1000, UTC)
    return JSONResponse({"time": moment.isoformat(timespec="milliseconds")})


async def _judged(request: Request, judge: Judge, bytes_max: int) -> Response:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            return problem(413, "too_large", "More than one question may hold.")
    return await run_in_threadpool(_on_record, request, judge, bytes(body))


def _on_record(request: Request, judge: Judge, body: bytes) -> Response:
    fleet, shown = fleet_of(request), shown_certificate(request.headers.get("x-client-cert", ""))
    address = request.headers.get("x-real-ip", "")[:64]
    try:
        if shown is None:
            raise Refused("no_key_shown", "The connection has proven no key. Show a certificate of it.")
        return judge(fleet, shown, body, address)
    except Refused as refused:
        serial = _serial(shown)
        city = tenant_of(serial) or PROVINCE
        asked = f"{request.method} {request.url.path}"
        fleet.refusals.record({city}, f"serial:{serial}", refused.code, asked, fleet.now_ms())
        return problem(403, refused.code, str(refused))


def _enrol(fleet: Fleet, shown: x509.Certificate, body: bytes, address: str) -> Response:
    given = enrol(_office(fleet), read_request(body), shown_fingerprint(shown), address, fleet.now_ms())
    return _certificate(given, WAIT_S)


def _renew(fleet: Fleet, shown: x509.Certificate, body: bytes, address: str) -> Response:
    given = renew(_office(fleet), read_request(body), shown_fingerprint(shown), fleet.now_ms())
    return _certificate(given, WAIT_LATE_S)


def _bring(fleet: Fleet, shown: x509.Certificate, body: bytes, address: str) -> Response:
    claims.bring(body, serial_of(shown.subject), shown_fingerprint(shown), address, fleet.now_ms())
    return Response(status_code=204)


def _certificate(given: x509.Certificate | None, wait_s: int) -> Response:
    if given is None:
        return Response(status_code=202, headers={"Retry-After": str(wait_s)})  # RFC 7030, 4.2.3
    return Response(certs_only([given]), media_type=PKCS7, headers=ENCODED)


def _office(fleet: Fleet) -> Office:
    return Office(Path(fleet.settings.home), fleet.settings.certificate_days)


def _serial(shown: x509.Certificate | None) -> str:
    """Of whoever was turned away; of what it says itself, so at most for reading."""
    try:
        return serial_of(shown.subject)[:64] if shown else ""
    except Refused:
        return ""


ROUTES: list[BaseRoute] = [
    Route("/.well-known/est/simpleenroll", simpleenroll, methods=["POST"]),
    Route("/.well-known/est/simplereenroll", simplereenroll, methods=["POST"]),
    Route("/.well-known/est/cacerts", cacerts),
    Route("/enrolment/v1/claim", claim, methods=["POST"]),
    Route("/enrolment/v1/time", now),
    Route("/{tenant}/terminal/v1/{terminal_id}/welcome", welcome),
]
