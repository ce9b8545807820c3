"""``python -m kiosk.hosts.seal``: one order on standard input, one verdict on standard output, and the end."""

import resource
import sys

import msgspec

from kiosk.hosts.seal.wire import unpacked

ORDER_BYTES_MAX = 16 * 1024 * 1024
MEMORY_BYTES_MAX = 1024 * 1024 * 1024


def main() -> None:
    """Whatever the document breaks ends this process: the kiosk takes that for UNREADABLE."""
    order, pdf = unpacked(sys.stdin.buffer.read(ORDER_BYTES_MAX))
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # nothing of the document ever reaches a disk
        (resource.RLIMIT_CPU, order.cpu_s_max),
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
    ):
        resource.setrlimit(kind, (limit, limit))
    from kiosk.hosts.seal.check import check  # after the limits: they bind the libraries too

    sys.stdout.buffer.write(msgspec.json.encode(check(pdf, order)))


if __name__ == "__main__":
    main()
