"""Build the client from settings, for the composition root."""

from pathlib import Path

from kiosk.hosts.bank.asking import Line
from kiosk.hosts.bank.client import BankClient, Desk
from kiosk.hosts.bank.line import HOST, BankLine
from kiosk.hosts.bank.terminal import TraceCounter
from kiosk.ports import Log
from kiosk.settings.config import Settings

TRACE_FILE = "bank_trace.json"


def bank_line(settings: Settings, log: Log) -> BankLine | None:
    """The way to ``hosts.bank``, whose address is ``tls://host:port``; None where the settings name no bank."""
    if HOST not in settings.hosts:
        return None
    return BankLine(settings.hosts[HOST], log, production=settings.production)


def connect_bank(settings: Settings, line: Line, desk: Desk, newest: tuple[str, str] | None = None) -> BankClient:
    """The client over this line. ``newest``: batch and trace number of the newest act that the journal knows.

    Raises:
        TraceCounterBroken: staff must look at the counter's file first.
    """
    return BankClient(settings.bank, line, TraceCounter(Path(settings.data_dir) / TRACE_FILE, newest), desk)
