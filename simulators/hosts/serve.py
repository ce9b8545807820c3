"""Serve a sandbox over real mutual TLS, on loopback, with a port that closes when the weather says so."""

import ssl
from functools import partial

import trio
from hypercorn.config import Config
from hypercorn.trio import serve as hypercorn_serve
from starlette.applications import Starlette

from simulators.hosts.app import asgi_app
from simulators.hosts.sandbox import Sandbox
from simulators.pki import Pki


async def serve(
    sandbox: Sandbox, port: int, pki: Pki, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled. ``port`` 0 picks a free one; ``task_status`` gets the port.

    Raises:
        OSError: the port is taken.
    """
    app = asgi_app(sandbox)
    changed = trio.Event()

    def wake() -> None:
        nonlocal changed
        changed.set()
        changed = trio.Event()

    stop_listening = sandbox.weather.listen(wake)
    try:
        async with trio.open_nursery() as nursery:
            # The first time always in fair weather: whoever starts us must learn the port.
            server = trio.CancelScope()
            port = await nursery.start(partial(_serve_once, app, _config(sandbox, port, pki), server))
            task_status.started(port)
            while True:
                while not sandbox.weather.closed(sandbox.name):
                    await changed.wait()
                server.cancel()
                while sandbox.weather.closed(sandbox.name):
                    await changed.wait()
                server = trio.CancelScope()
                await nursery.start(partial(_serve_once, app, _config(sandbox, port, pki), server))
    finally:
        stop_listening()


async def _serve_once(
    app: Starlette, config: Config, until: trio.CancelScope, *, task_status: trio.TaskStatus[int]
) -> None:
    with until:
        async with trio.open_nursery() as nursery:
            binds = await nursery.start(partial(hypercorn_serve, app, config))  # type: ignore[arg-type]  # Starlette is ASGI
            task_status.started(int(binds[0].rsplit(":", 1)[1]))


def _config(sandbox: Sandbox, port: int, pki: Pki) -> Config:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile = str(pki.host_certificate), str(pki.host_key)
    if not sandbox.public:
        config.ca_certs = str(pki.hosts_ca)
        config.verify_mode = ssl.VerifyMode.CERT_REQUIRED
    config.keep_alive_timeout = 60
    config.graceful_timeout = 0.2
    config.accesslog = None
    config.loglevel = "WARNING"  # a sandbox that fails says so on stderr; every start need not
    return config
