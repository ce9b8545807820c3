"""ctypes binding of the LD/T 33 functions: int in, int out, and a buffer whose size the standard forgot to pass.

Every call blocks and holds no Python lock. Texts are GBK (decoded as GB18030, its superset).
"""

import ctypes
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUT_BYTES_MAX = 16384
_GUARD = b"\xa5" * 64
_one_at_a_time = threading.Lock()

CONTACT, CONTACTLESS, CONTACT_FIRST, CONTACTLESS_FIRST = 1, 2, 3, 4


class LibraryUnusable(Exception):
    """It cannot be loaded, or lacks a function."""


class LibraryOverran(Exception):
    """It wrote past the buffer: nothing of this process can be trusted any more, so nobody catches this."""


@dataclass(frozen=True)
class VendorAnswer:
    """``code`` 0 is success; below, an error of the table in ``codes.py``."""

    code: int
    text: str = field(repr=False)

    def fields(self) -> list[str]:
        """The text split at ``|``, which ends every field."""
        return self.text.split("|")[:-1]


class VendorLibrary:
    """One loaded library. Its functions are not re-entrant: calls wait for each other, in whatever thread they are."""

    def __init__(self, path: Path) -> None:
        """Raises: LibraryUnusable."""
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise LibraryUnusable(str(error)) from error

    @property
    def simulated(self) -> bool:
        """Whether this is the stand-in of the sandbox; no maker's library has a function of that name."""
        return hasattr(self._library, "yikatong_stand_in")

    def call(self, name: str, argument: int | bytes) -> VendorAnswer:
        """``argument``: iType, or key data for the Step2 functions.

        Raises:
            LibraryUnusable: the maker left this function out. LibraryOverran.
        """
        function = self._function(name, ctypes.c_int)
        with _one_at_a_time:
            return self._call(name, function, argument)

    def call_plain(self, name: str, *arguments: Any) -> int:
        """A function of another shape: ``arguments`` as ctypes values, a C ``long`` back.

        Raises:
            LibraryUnusable: the maker left this function out.
        """
        function = self._function(name, ctypes.c_long)
        with _one_at_a_time:
            return int(function(*arguments))

    def _function(self, name: str, result: Any) -> Any:
        try:
            function = getattr(self._library, name)
        except AttributeError as error:
            raise LibraryUnusable(name) from error
        function.restype = result
        return function

    def _call(self, name: str, function: Any, argument: int | bytes) -> VendorAnswer:
        out = guarded_buffer()
        code = function(ctypes.c_int(argument) if isinstance(argument, int) else ctypes.c_char_p(argument), out)
        written = read_guarded(name, out)
        return VendorAnswer(code, written.split(b"\x00", 1)[0].decode("gb18030", "replace"))


def guarded_buffer() -> Any:
    """OUT_BYTES_MAX zero bytes for a library to write into, and behind them a guard."""
    return ctypes.create_string_buffer(bytes(OUT_BYTES_MAX) + _GUARD, OUT_BYTES_MAX + len(_GUARD))


def read_guarded(name: str, out: Any) -> bytes:
    """What function ``name`` wrote there. Raises: LibraryOverran."""
    if out.raw[OUT_BYTES_MAX:] != _GUARD:
        raise LibraryOverran(name)
    return bytes(out.raw[:OUT_BYTES_MAX])
