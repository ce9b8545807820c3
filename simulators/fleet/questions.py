"""What a simulated terminal sends: the bytes of a poll, made once."""

import json
from dataclasses import dataclass
from pathlib import Path

SLOTS = ("card_reader", "sam_reader", "pin_pad", "receipt_printer", "page_printer", "cash_acceptor", "cash_dispenser")
HEALTH_EVERY = 12  # polls: hourly at five minutes


@dataclass(frozen=True)
class SimulatedTerminal:
    """``serial``: of its certificate; ``pem``: key and certificate, where it has them."""

    terminal_id: str
    city: str
    serial: str
    pem: Path


def read_terminals(folder: Path, city: str) -> list[SimulatedTerminal]:
    """As ``rehearse`` left them in ``folder``."""
    lines = (folder / "terminals.txt").read_text().splitlines()
    pairs = (line.split() for line in lines)
    return [SimulatedTerminal(name, city, serial, folder / f"{name}.pem") for name, serial in pairs]


def question(terminal: SimulatedTerminal, *, health: bool, proven: bool) -> bytes:
    """``proven``: with the headers that nginx sets; without where nginx stands between."""
    body = _body(health)
    head = f"POST /{terminal.city}/terminal/v1/{terminal.terminal_id}/poll HTTP/1.1\r\nHost: fleet\r\n"
    if proven:
        head += f"X-Face: terminals\r\nX-Client-Verify: SUCCESS\r\nX-Client-Serial: {terminal.serial}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _body(health: bool) -> bytes:
    told: dict[str, object] = {"epoch": 0, "desired_version": 0}
    if health:
        told["health"] = {
            "at": "2026-01-05T09:00:00+08:00",
            "serving": True,
            "slots": {slot: {"condition": "ready", "since": "2026-01-05T08:00:00+08:00"} for slot in SLOTS},
            "consumables": {
                "receipt_paper": {"left": 800, "of": 2000, "days_left": 6.5},
                "cash_box": {"left": 900, "of": 1500, "days_left": 11.0},
            },
            "money": {"unsent_count": 3, "unsent_fen": 12_345, "unsent_oldest": "2026-01-05T08:58:00+08:00"},
            "machine": {
                "disk_free_bytes": 21_000_000_000,
                "temperature_c": 41.5,
                "up_s": 86_400,
                "clock_offset_ms": 12,
            },
            "use": {"sessions": 120, "failed_interactions": 1},
            "versions": {"kiosk": "1.0.0", "settings": "12"},
            "head": {"seq": 123_456, "link": "ab" * 32, "signature": "cd" * 64, "public_key": "ef" * 32},
        }
    return json.dumps(told, separators=(",", ":")).encode()
