"""Where somebody who was invited makes a password and a second factor: a link from one person, a code from another."""

from contextlib import suppress

import segno
from markupsafe import Markup
from starlette.responses import Response

from provisioning.fleet.actor import Refused
from provisioning.fleet.console import browser
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.pages.entry import before
from provisioning.fleet.console.pages.me import chosen_password
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people import invitations, second_factor

QR_SCALE = 5


def draw(visit: Visit) -> Response:
    if not visit.token:
        return before(visit, go(visit.path))
    if visit.form.get("act") == "accept":  # refused: the secret is shown again, and nothing else that was typed
        with suppress(Refused):
            return begin(visit)
    return show(visit, "invited.html", secret="", login="", qr="", code="")


def begin(visit: Visit) -> Response:
    code = visit.field("code")
    person, secret = invitations.begin(visit.params["link"], code, visit.seal, visit.at_ms)
    uri = second_factor.uri(secret, person.login)
    qr = Markup(segno.make(uri).svg_inline(scale=QR_SCALE, border=4, svgclass="qr", omitsize=True))  # noqa: S704 - drawn by us
    return show(visit, "invited.html", secret=secret, login=person.login, qr=qr, code=code)


def accept(visit: Visit) -> Response:
    new, code, totp = chosen_password(visit), visit.field("code"), visit.field("totp")
    invitations.accept(visit.params["link"], code, new, totp, visit.seal, visit.at_ms)
    response = go("/console/sign-in", "invited")
    browser.forget(response, browser.SESSION)
    return response


ROUTES = [Page("/console/invited/{link}", draw, {"begin": begin, "accept": accept}, open=True).route()]
