"""Runs one process of the fleet on its UNIX socket."""

from pathlib import Path

import uvicorn

from provisioning.fleet.app import make_app
from provisioning.fleet.database import open_database
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet


def run(settings: FleetSettings) -> int:
    """Until SIGTERM or SIGINT.

    Raises:
        OSError, peewee.OperationalError: the socket's folder or the database cannot be used.
    """
    Path(settings.home).mkdir(parents=True, exist_ok=True, mode=0o700)
    open_database(settings.database_url)
    app = make_app(Fleet(settings))
    uvicorn.run(app, uds=str(settings.socket_path), log_level="warning", access_log=False, server_header=False)
    return 0
