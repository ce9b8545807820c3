"""What the box of the demo says of itself to its agent, as whoever put it up would write it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.pki import Pki

POLL_S_MAX = 10.0  # whoever tries the demo waits for nothing
ROLL_RECEIPTS, TRAY_SHEETS, BOX_NOTES = 400, 250, 1000


def agent_settings(
    *, home: Path, serial: str, fleet_url: str, console_url: str, pki: Pki, logs: Sequence[Path], releases: Path
) -> dict[str, Any]:
    """Table ``agent`` of the local facts. ``logs``: files in the place of journald. ``releases``: first root of who
    signs software."""
    return {
        "home": str(home),
        "serial": serial,
        "url": fleet_url,
        "ca": str(pki.certificate("fleet-ca")),
        "console_url": console_url,
        "host_ca": str(pki.hosts_ca),
        "host_certificate": str(pki.terminal_certificate),
        "host_private_key": str(pki.terminal_key),
        "poll_s_max": POLL_S_MAX,
        "ledger": True,
        "capacities": {"receipt_printer": ROLL_RECEIPTS, "page_printer": TRAY_SHEETS, "cash_box": BOX_NOTES},
        "releases": str(releases),
        "log_command": ["tail", "-q", "-n", "1000", *map(str, logs)],
    }
