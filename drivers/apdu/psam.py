"""The PSAM: computes with master keys that never leave it. Jobs that yield APDUs.

MF/0015 serial and MF/0016 terminal number as in public descriptions. ``BF DE 48 <key> 18`` (seed, city factor, random)
and ``80 FA 00 00`` are one observed flow; key numbers are options, and 16 bytes in ``80 FA`` are INVENTED.
"""

from collections.abc import Generator

from drivers.apdu.command import Command
from drivers.apdu.exchange import demand
from drivers.apdu.read_file import select_application

APPLICATION = bytes.fromhex("D15600000590")
_MASTER_FILE = 0x3F00


def serial_and_terminal() -> Generator[bytes, bytes, tuple[str, str]]:
    """Hex of the serial (10 bytes) and of the terminal number (6 bytes).

    Raises:
        CardRefused: not a PSAM.
    """
    yield from _select(_MASTER_FILE)
    yield from _select(0x0015)
    serial = yield from demand("psam_serial", Command(0x00, 0xB0, 0x00, 0x01, le=10))
    yield from _select(0x0016)
    terminal = yield from demand("psam_terminal", Command(0x00, 0xB0, 0x00, 0x00, le=6))
    return serial.hex().upper(), terminal.hex().upper()


def compute(key: int, seed: bytes, city_factor: bytes, blocks: bytes) -> Generator[bytes, bytes, bytes]:
    """Encrypt ``blocks`` (8 or 16 bytes) under the card's own key, derived in the PSAM from ``seed`` and city.

    Raises:
        CardRefused: the PSAM lacks this key (9403), or refuses.
    """
    yield from select_application(APPLICATION)
    load = Command(0xBF, 0xDE, 0x48, key, seed[-8:] + city_factor + blocks[:8])
    yield from demand("psam_load", load)
    return (yield from demand("psam_compute", Command(0x80, 0xFA, 0x00, 0x00, blocks)))


def _select(file_id: int) -> Generator[bytes, bytes, None]:
    yield from demand("psam_select", Command(0x00, 0xA4, 0x00, 0x00, file_id.to_bytes(2, "big")))
