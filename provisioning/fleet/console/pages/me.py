"""One's own sign-in."""

from starlette.responses import Response

from provisioning.fleet.actor import Refused
from provisioning.fleet.console import browser
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.people import own_password, sessions
from provisioning.fleet.schema.people import Session


def draw(visit: Visit) -> Response:
    mine = Session.select().where(Session.person == visit.who).order_by(Session.used_ms.desc()).limit(50)
    return show(visit, "me.html", sessions=list(mine))


def chosen_password(visit: Visit) -> str:
    """Raises Refused: typed differently the second time."""
    new = visit.form.get("new", "")
    if new != visit.form.get("again", ""):
        raise Refused("differs", "The two new passwords are not the same. Type both again.")
    return new


def change_password(visit: Visit) -> Response:
    new, old, code = chosen_password(visit), visit.form.get("old", ""), visit.form.get("code", "")
    own_password.change(visit.who, old, code, new, visit.token, visit.seal, visit.at_ms)
    return go("/console/me", "password")


def sign_out(visit: Visit) -> Response:
    sessions.end_session(visit.token)
    return _gone()


def sign_out_everywhere(visit: Visit) -> Response:
    own_password.sign_out_everywhere(visit.who, visit.at_ms)
    return _gone()


def _gone() -> Response:
    response = go("/console/sign-in", "signed_out")
    browser.forget(response, browser.SESSION)
    return response


ACTS = {"password": change_password, "sign_out": sign_out, "everywhere": sign_out_everywhere}
ROUTES = [Page("/console/me", draw, ACTS).route()]
