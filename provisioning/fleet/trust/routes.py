"""Trust lists on the terminals' face."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from provisioning.fleet.actor import NotFound
from provisioning.fleet.identity import terminal_of
from provisioning.fleet.trust.lists import wire_of


def trust(request: Request) -> Response:
    """One list by its number, signed by two approvers of the one before."""
    wire = wire_of(terminal_of(request).tenant, request.path_params["number"])
    if wire is None:
        raise NotFound("trust")
    return Response(wire, media_type="application/json")


ROUTES: list[BaseRoute] = [Route("/{tenant}/terminal/v1/{terminal_id}/trust/{number:int}", trust)]
