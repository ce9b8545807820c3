"""Signing in, the choice of city and language."""

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from provisioning.fleet.actor import Refused
from provisioning.fleet.console import browser
from provisioning.fleet.console.page import Page, go, sign_in_first
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.l10n.catalog import LANGUAGES
from provisioning.fleet.people.sign_in import Attempt, sign_in
from provisioning.fleet.schema.places import PROVINCE


def before(visit: Visit, response: Response) -> Response:
    """A form without a session needs something of this browser to hold on to."""
    if not visit.token:
        browser.keep(response, browser.BEFORE, secrets.token_urlsafe(16))
    return response


def draw_sign_in(visit: Visit) -> Response:
    if visit.person is not None:
        return go("/console/")
    if not visit.token:
        return before(visit, go(sign_in_first(visit.query.get("to", ""))))
    return show(visit, "sign_in.html")


def do_sign_in(visit: Visit) -> Response:
    told = {name: visit.form.get(name, "") for name in ("login", "password", "code")}
    known = visit.cookies.get(browser.KNOWN, "")
    try:
        opened = sign_in(Attempt(**told, address=visit.address, browser=known), visit.seal, visit.at_ms)
    except Refused as refusal:
        if refusal.code == "wait":  # whatever was typed as a login may be a password: it is not written down
            who = f"address:{visit.address}"
            visit.fleet.refusals.record({PROVINCE}, who, "too many sign-ins", "sign-in", visit.at_ms)
        raise
    response = go(browser.own_path(visit.query.get("to", "")))
    browser.keep(response, browser.SESSION, opened.token)
    browser.keep(response, browser.KNOWN, opened.browser, browser.YEAR_S)
    browser.forget(response, browser.BEFORE)
    return response


def draw_cities(visit: Visit) -> Response:
    cities = visit.cities_with("look")
    return go(f"/console/{cities[0].code}/") if len(cities) == 1 else show(visit, "cities.html", cities=cities)


def language(request: Request) -> Response:
    """Kept in the browser, then back to where it was asked; never to another site."""
    to, back = (request.query_params.get(name, "") for name in ("to", "back"))
    response = RedirectResponse(browser.own_path(back), 303)
    if to in LANGUAGES:
        browser.keep(response, browser.LANGUAGE, to, browser.YEAR_S)
    return browser.guarded(response)


ROUTES = [
    Page("/console/sign-in", draw_sign_in, {"sign_in": do_sign_in}, open=True).route(),
    Page("/console/", draw_cities).route(),
    Route("/console/language", language),
]
