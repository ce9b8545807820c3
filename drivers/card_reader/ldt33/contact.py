"""The functions by which a maker's library passes commands to a card: ``ICC_Reader_...``.

They are older than LD/T 33, and most of its libraries still have them: appendix B ("SSSE32") of the terminal part of
the specification of social security cards (社会保障(个人)卡规范, 终端规范补充说明), as makers' headers repeat it.
Connectors of the user's card are 0x0n, of a PSAM 0x1n; codes are those of ``codes.py``; results are a C ``long``.
"""

import ctypes
from collections.abc import Callable
from threading import Event

from drivers.card_reader.ldt33.codes import NO_ANSWER, NO_POWER
from drivers.card_reader.ldt33.library import LibraryUnusable, VendorLibrary, guarded_buffer, read_guarded
from drivers.transport.card_job import Answer, CardJob, drive

POWERED = 0  # of ICC_Reader_GetStatus: a card is there and has power
_CODES = range(-99, 0)  # of this family: no handle looks like one
_STATUS_BYTES = 2


class NotPassed(Exception):
    """The library gave no answer of the card. ``code``: of the table in ``codes.py``."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class JobStopped(Exception):
    """The job was given up between two of its commands."""


class CardContact:
    """One connector of one reader. Every call blocks; ``open`` first."""

    def __init__(self, library: VendorLibrary, device: str, connector: int) -> None:
        """``device`` is what the maker calls the reader: "USB1", "AUTO", "COM1"."""
        self._library = library
        self._device = device
        self._connector = ctypes.c_ubyte(connector)
        self._reader = ctypes.c_long(0)

    def open(self) -> None:
        """Raises: LibraryUnusable: it has no such functions. NotPassed: no reader of this name."""
        handle = self._library.call_plain("ICC_Reader_Open", ctypes.c_char_p(self._device.encode("gb18030")))
        self._reader = ctypes.c_long(_checked(handle))

    def close(self) -> None:
        self._call("ICC_Reader_Close")

    def status(self) -> int:
        """POWERED, or a code: no card, a card without power."""
        return _signed(self._call("ICC_Reader_GetStatus", self._connector))

    def power_on(self) -> bytes:
        """A cold reset, whatever was selected before; the ATR. Raises: NotPassed."""
        return self._answer("ICC_Reader_PowerOn", self._connector)

    def transmit(self, apdu: bytes) -> bytes:
        """One command to its raw answer, status word included. Raises: NotPassed."""
        arguments = ctypes.c_long(len(apdu)), ctypes.c_char_p(bytes(apdu))
        answer = self._answer("ICC_Reader_Application", self._connector, *arguments)
        if len(answer) < _STATUS_BYTES:
            raise NotPassed(NO_ANSWER)
        return answer

    def run(self, make: Callable[[bytes], CardJob[Answer]], *, goes_on: bool, stopped: Event) -> Answer:
        """A whole card job; ``make`` is given the ATR, or b"" where the job ``goes_on`` from the one before it.

        Raises:
            NotPassed, JobStopped, and what the job raises.
        """
        if goes_on and self.status() != POWERED:
            raise NotPassed(NO_POWER)  # it was out meanwhile: what was selected is selected no longer

        def transmit(apdu: bytes) -> bytes:
            if stopped.is_set():
                raise JobStopped
            return self.transmit(apdu)

        return drive(make(b"" if goes_on else self.power_on()), transmit)

    def _answer(self, name: str, *arguments: object) -> bytes:
        out = guarded_buffer()
        length = _checked(self._call(name, *arguments, out))
        return read_guarded(name, out)[:length]

    def _call(self, name: str, *arguments: object) -> int:
        if not self._reader.value:
            raise LibraryUnusable("not open")
        return self._library.call_plain(name, self._reader, *arguments)


def _checked(result: int) -> int:
    """Raises: NotPassed."""
    code = _signed(result)
    if code in _CODES or not code:
        raise NotPassed(code or NO_ANSWER)
    return result


def _signed(result: int) -> int:
    """Makers return ``int`` where the specification says ``long``: a code then comes without its sign."""
    low = ctypes.c_int(result & 0xFFFFFFFF).value
    return low if low in _CODES else result
