"""A real nginx with mutual TLS before a sandbox, as most agencies have one before their hosts; loopback only.

One process (``master_process off``), in a folder of its own, ended by its pid. The system's own nginx is not touched.
"""

import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from simulators.pki import Pki

BINARY = shutil.which("nginx") or "/usr/sbin/nginx"
READY_S_MAX = 20.0
_CONF = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    limit_req_zone $binary_remote_addr zone=terminals:1m rate=2r/s;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {pki.host_certificate}; ssl_certificate_key {pki.host_key};
        ssl_client_certificate {pki.hosts_ca}; ssl_verify_client on;
        location / {{
            {more}
            proxy_pass https://127.0.0.1:{behind};
            proxy_ssl_certificate {pki.terminal_certificate}; proxy_ssl_certificate_key {pki.terminal_key};
            proxy_http_version 1.1; proxy_set_header Connection "";
        }}
    }}
}}
"""
# What an operator writes into the location, and what comes of it.
THROTTLED = "limit_rate 400;"  # bytes a second
BUSY = "limit_req zone=terminals; limit_req_status 429; add_header Retry-After 1 always;"
CLOSES_OFTEN = "keepalive_requests 2; keepalive_timeout 1s;"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@asynccontextmanager
async def nginx(folder: Path, pki: Pki, port: int, behind: int, more: str = "") -> AsyncIterator[trio.Process]:
    """Before the port ``behind``, on ``port``. ``more``: further lines of the location."""
    folder.mkdir(exist_ok=True)
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, pki=pki, port=port, behind=behind, more=more))
    command = [BINARY, "-p", str(folder), "-c", str(conf)]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(trio.run_process, command, check=False, capture_stderr=True)
        )
        try:
            with trio.fail_after(READY_S_MAX):
                while not await _listens(port):
                    await trio.sleep(0.01)
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)  # as a machine that loses power; whoever waits sees a cut line


async def _listens(port: int) -> bool:
    try:
        await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
    except OSError:
        return False
    return True
