"""``GET /desired`` and the files that it speaks of, for the terminal itself."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from provisioning.fleet.city_key import city_signer
from provisioning.fleet.desired.bodies import body_path
from provisioning.fleet.desired.compose import document
from provisioning.fleet.identity import terminal_of
from provisioning.fleet.schema.places import Tenant
from provisioning.fleet.web import fleet_of

BASE = "/{tenant}/terminal/v1/{terminal_id}"


def desired(request: Request) -> Response:
    caller, fleet = terminal_of(request), fleet_of(request)
    signer = city_signer(Path(fleet.settings.home), caller.tenant)
    epoch = Tenant.get_by_id(caller.tenant).epoch
    wire = document(caller.tenant, caller.terminal_id, signer, epoch, fleet.now_ms())
    return Response(wire, media_type="application/json")


def body(request: Request) -> Response:
    """In pieces where the caller asks for ranges (RFC 9110, 14)."""
    caller, fleet = terminal_of(request), fleet_of(request)
    sha256 = request.path_params["sha256"]
    path = body_path(Path(fleet.settings.home), caller.tenant, sha256)
    return FileResponse(path, media_type="application/octet-stream", headers={"ETag": f'"{sha256}"'})


ROUTES = [Route(f"{BASE}/desired", desired), Route(f"{BASE}/bodies/{{sha256}}", body)]
