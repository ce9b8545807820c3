"""``python -m drivers.pin_entry``: started by ModeB only; one request on stdin, answers on stdout, then it ends."""

import os
import sys

from drivers.pin_entry.harden import harden
from drivers.pin_entry.wire import GO, LINE_BYTES_MAX, Request, say

harden()

from drivers.pin_entry.process import serve  # noqa: E402 - hardened before the libraries are loaded


def _say(**message: object) -> None:
    os.write(sys.stdout.fileno(), say(**message))


def _line() -> bytes:
    return sys.stdin.buffer.readline(LINE_BYTES_MAX)


def _tell_kind(kind: type[BaseException], *_rest: object) -> None:
    """An exception is told by its kind alone: its text or its trace might hold what it was about."""
    _say(fault=kind.__name__)


def main() -> int:
    sys.excepthook = _tell_kind
    serve(Request.parse(_line()), _say, lambda: _line() == GO)
    return 0


if __name__ == "__main__":
    sys.exit(main())
