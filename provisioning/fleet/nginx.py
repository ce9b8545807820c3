"""The configuration of nginx before the fleet: two faces with TLS, the processes behind them, and public files.

A pure function. nginx proves who asks and says so by headers that it sets itself; it refuses nobody for a missing or
expired certificate, because the fleet judges (and records), and enrolment begins without one. The system's nginx is
never touched: the file is for ``nginx -p FOLDER -c FILE``, or for an operator to take over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.fleet.faces import PEOPLE, TERMINALS

ARTIFACTS = "/_artifacts/"  # internal: the fleet names a file by X-Accel-Redirect once it knows who asks
QUESTION_BYTES_MAX = "32m"  # of terminals: logs, pictures, rows
UPLOAD_BYTES_MAX = "2g"  # of people and programs: artifacts, streamed through
LINE_STANDS_S = 660  # idle, of terminals


@dataclass(frozen=True)
class Plan:
    """Paths are whole. ``folder``: nginx's own, for its temporary files. ``trusted``: authorities of terminals'
    certificates. ``user``: of the workers where the master is root. ``workers`` 0: one for each core."""

    folder: Path
    public: Path
    artifacts: Path
    sockets: Sequence[Path]
    device_listen: str
    console_listen: str
    certificate: Path
    key: Path
    trusted: Path
    user: str = ""
    workers: int = 0
    device_more: str = ""  # further lines of a face, by an operator or a test


def configuration(plan: Plan) -> str:
    return "\n".join(
        [_process(plan), "http {", _common(plan), _upstream(plan.sockets), _device(plan), _console(plan), "}\n"]
    )


def _process(plan: Plan) -> str:
    folder = plan.folder
    return f"""# Made by: python -m provisioning.fleet --settings FILE nginx. Change the settings, not this file.
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{f"user {plan.user};" if plan.user else ""}
worker_processes {plan.workers or "auto"};
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; }}"""


def _common(plan: Plan) -> str:
    temporary = "\n".join(
        f"    {name}_temp_path {plan.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""    access_log off;
    server_tokens off;
{temporary}
    types {{ application/json json; text/css css; text/javascript js; image/png png; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {plan.certificate};
    ssl_certificate_key {plan.key};
    # A terminal that asks every five minutes comes back with its session: no second handshake by certificate.
    ssl_session_cache shared:fleet:20m;
    ssl_session_timeout 1d;
    keepalive_timeout 75s;
    keepalive_requests 100000;
    client_header_timeout 20s;
    client_body_timeout 60s;
    send_timeout 60s;
    proxy_http_version 1.1;
    proxy_connect_timeout 5s;
    proxy_read_timeout 60s;
    proxy_next_upstream error;"""


def _upstream(sockets: Sequence[Path]) -> str:
    lines = "\n".join(f"        server unix:{path} max_fails=1 fail_timeout=2s;" for path in sockets)
    return f"""    upstream fleet {{
{lines}
        keepalive 64;
        keepalive_requests 1000000;
    }}"""


def _device(plan: Plan) -> str:
    return f"""    server {{
        listen {plan.device_listen} ssl backlog=4096;
        ssl_client_certificate {plan.trusted};
        # Nobody is sent away here: who shows none, or an expired one, may still ask to be enrolled or renewed.
        ssl_verify_client optional_no_ca;
        ssl_verify_depth 2;
        error_page 495 = @unproven;
        client_max_body_size {QUESTION_BYTES_MAX};
        # Longer than the longest usual pause: a line that stands costs a village 0.3 MB a day, one opened for each
        # question 1.5 MB.
        keepalive_timeout {LINE_STANDS_S}s;
        {plan.device_more}
        location / {{
{_told(TERMINALS, shown=True)}
            proxy_pass http://fleet;
        }}
        location @unproven {{
{_told(TERMINALS, shown=True)}
            proxy_pass http://fleet;
        }}
        location /tuf/ {{ root {plan.public}; add_header Cache-Control "no-cache"; }}
{_files(plan)}
    }}"""


def _console(plan: Plan) -> str:
    return f"""    server {{
        listen {plan.console_listen} ssl;
        client_max_body_size {UPLOAD_BYTES_MAX};
        add_header Strict-Transport-Security "max-age=31536000" always;
        location / {{
{_told(PEOPLE, shown=False)}
            proxy_request_buffering off;
            proxy_pass http://fleet;
        }}
{_files(plan)}
    }}"""


def _files(plan: Plan) -> str:
    """The hash is the ETag: the same on every machine, so that a download goes on at another one after a break."""
    mark = 'etag off; add_header ETag "\\"$upstream_http_x_artifact\\"";'
    return f"        location {ARTIFACTS} {{ internal; alias {plan.artifacts}/; {mark} }}"


def _told(face: str, shown: bool) -> str:
    """Set for every question: a caller's own header of such a name is lost here. People's face takes no certificate."""
    names = {
        "X-Face": face,
        "Connection": '""',
        "Host": "$http_host",
        "X-Real-IP": "$remote_addr",
        "X-Forwarded-Proto": "https",
        "X-Client-Verify": "$ssl_client_verify" if shown else "NONE",
        "X-Client-Serial": "$ssl_client_serial" if shown else '""',
        "X-Client-Cert": "$ssl_client_escaped_cert" if shown else '""',
    }
    return "\n".join(f"            proxy_set_header {name} {value};" for name, value in names.items())
