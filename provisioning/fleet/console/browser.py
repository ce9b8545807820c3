"""What a browser is told to keep, to send and not to do."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import Response

from provisioning.fleet.console.visit import Visit
from provisioning.fleet.l10n.catalog import LANGUAGES

# "__Host-": a browser takes them only over TLS, for this host alone and for all its paths.
SESSION, BEFORE, KNOWN = "__Host-console", "__Host-before", "__Host-known"
LANGUAGE = "language"
YEAR_S = 365 * 24 * 3600
LOOKS_AGAIN = "x-looks-again"  # a page that refreshes itself; it keeps nobody signed in

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def guarded(response: Response) -> Response:
    """With the headers of every page."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def keep(response: Response, name: str, value: str, age_s: int | None = None) -> None:
    """A cookie that no script reads and no other site sends; without ``age_s`` it goes with the browser."""
    response.set_cookie(name, value, max_age=age_s, path="/", secure=True, httponly=True, samesite="strict")


def forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="strict")


def is_own_form(visit: Visit) -> bool:
    """A form of ours, sent by the session that it was shown to."""
    return bool(visit.token) and hmac.compare_digest(visit.form.get("csrf", "").encode(), visit.csrf.encode())


def own_path(told: str) -> str:
    """A path of the console with its query, as it was told; else the console's first page."""
    parts = urlsplit(told)
    own = parts.path.startswith("/console/") and not (parts.scheme or parts.netloc or "\\" in told)
    return urlunsplit(("", "", parts.path, parts.query, "")) if own else "/console/"


def language(request: Request) -> str:
    """Chosen by the person, else Chinese."""
    return chosen(request.cookies)


def chosen(cookies: Mapping[str, str]) -> str:
    told = cookies.get(LANGUAGE, "")
    return told if told in LANGUAGES else LANGUAGES[0]
