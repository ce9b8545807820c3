"""A card platform that costs nothing: mutual TLS, one connection, takes every PIN change, after ``delay_s``.

    python -m simulators.bench.queue_host PKI_DIRECTORY DELAY_S

Prints its port. The drain's bench runs it as a process of its own, so that only the terminal's work is timed.
"""

import json
import socket
import ssl
import sys
import time
from pathlib import Path

from simulators.pki import Pki

LINE_BYTES_MAX = 65_536


def main() -> None:
    pki, delay_s = Pki(Path(sys.argv[1])), float(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.host_certificate, pki.host_key)
    context.load_verify_locations(pki.hosts_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            bare, _ = listener.accept()
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(bare, server_side=True) as line:
                _serve(line, delay_s)


def _serve(line: ssl.SSLSocket, delay_s: float) -> None:
    asked = line.makefile("rb")
    while asked.readline(LINE_BYTES_MAX):
        length = 0
        while (head := asked.readline(LINE_BYTES_MAX).strip()) != b"":
            name, _, told = head.partition(b":")
            if name.lower() == b"content-length":
                length = int(told)
        answer = _answer(json.loads(asked.read(length)))
        time.sleep(delay_s)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


def _answer(question: dict[str, list[dict[str, str]]]) -> bytes:
    return json.dumps({"results": [{"key": item["key"], "result": "done"} for item in question["items"]]}).encode()


if __name__ == "__main__":
    main()
