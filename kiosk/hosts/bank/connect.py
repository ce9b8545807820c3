"""Build the client from settings, for the composition root."""

from pathlib import Path

from kiosk.config import Settings
from kiosk.hosts.bank.client import BankClient, Desk
from kiosk.hosts.bank.line import HOST, BankLine
from kiosk.hosts.bank.terminal import TraceCounter

TRACE_FILE = "bank_trace.json"


def connect_bank(settings: Settings, desk: Desk) -> BankClient:
    """The client for ``hosts.bank``, whose address is ``tls://host:port``.

    Raises:
        KeyError: the settings name no bank. TraceCounterBroken: staff must look at the counter's file first.
    """
    line = BankLine(settings.hosts[HOST], desk.log, production=settings.production)
    return BankClient(settings.bank, line, TraceCounter(Path(settings.data_dir) / TRACE_FILE), desk)
