"""Runs one process of the fleet on its UNIX socket."""

import gc
import sys
from pathlib import Path

import uvicorn

from provisioning.fleet.app import make_app
from provisioning.fleet.database import open_database
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet

BACKLOG = 4096
SWITCH_S = 0.001  # a thread that writes a second's reports gives way to polls five times sooner than by default
GARBAGE = (20_000, 20, 50)  # a poll makes no cycles; by default its few hundred objects would be searched each time


def run(settings: FleetSettings, number: int = 1) -> int:
    """Until SIGTERM or SIGINT. ``number``: which of ``settings.processes``.

    Raises:
        OSError, peewee.OperationalError: the socket's folder or the database cannot be used.
    """
    Path(settings.home).mkdir(parents=True, exist_ok=True, mode=0o700)
    open_database(settings.database_url)
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(*GARBAGE)
    uvicorn.run(
        make_app(Fleet(settings)),
        uds=str(settings.socket_paths[number - 1]),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,  # terminals measure their clocks by it
        backlog=BACKLOG,
        timeout_keep_alive=120,  # longer than nginx keeps what it does not use: it never meets a closed one
        timeout_graceful_shutdown=10,
        loop="uvloop",
        http="httptools",
    )
    return 0
