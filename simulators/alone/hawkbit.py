"""``python -m simulators hawkbit``: a server in hawkBit's shape that offers one file to one device, over TLS."""

import argparse
from functools import partial
from pathlib import Path

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.alone.until_stopped import run_until_stopped
from simulators.hosts.hawkbit import Hawkbit
from simulators.pki import Pki, make_pki
from simulators.waiting import free_port

METHODS = ["GET", "PUT", "POST"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--controller", default="T0000001", help="the device that gets the file")
    parser.add_argument("--offer", type=Path, help="the file; without one nothing is due")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--token", default="", help="wanted as TargetToken; without one everybody is let in")
    parser.add_argument("--run-dir", type=Path, default=Path(".run"), help="certificates (pki)")


def main(asked: argparse.Namespace) -> int:
    run_dir = asked.run_dir.resolve()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = asked.port or free_port()
    hawkbit = Hawkbit(base=f"https://127.0.0.1:{port}", target_token=asked.token)
    if asked.offer is not None:
        hawkbit.offer(asked.controller, asked.version, asked.offer.name, asked.offer.read_bytes())
    return run_until_stopped(partial(_serve, hawkbit, port, make_pki(run_dir / "pki")))


def asgi_app(hawkbit: Hawkbit) -> Starlette:
    async def answer(request: Request) -> Response:
        path = str(request.scope["path"])
        method = "GET" if request.method == "HEAD" else request.method  # SWUpdate asks so how large a file is
        told = hawkbit.answer(method, path, dict(request.headers), await request.body())
        print(f"{request.method} {path} {told.status}", flush=True)
        return Response(told.body, told.status, dict(told.headers))

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


async def serve_hawkbit(
    hawkbit: Hawkbit, port: int, pki: Pki, task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED
) -> None:
    """Until cancelled; started when it listens. Raises OSError: the port is taken."""
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = str(pki.host_certificate), str(pki.host_key)
    config.accesslog, config.loglevel = None, "WARNING"
    await serve(asgi_app(hawkbit), config, task_status=task_status)  # type: ignore[arg-type]  # Starlette is ASGI


async def _serve(hawkbit: Hawkbit, port: int, pki: Pki) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_hawkbit, hawkbit, port, pki)
        print(f"ready {hawkbit.base}", flush=True)
        print(f"  trust {pki.hosts_ca}; GET /{hawkbit.tenant}/controller/v1/CONTROLLER", flush=True)
