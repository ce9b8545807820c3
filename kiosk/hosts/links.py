"""What every composition root connects: links to the hosts of the settings, and the clients that keep a state."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kiosk.hosts.link import HttpsHostLink
from kiosk.hosts.medical_insurance.connect import connect as connect_medical_insurance
from kiosk.hosts.medical_insurance.message_id import MessageIdsUnusable
from kiosk.hosts.not_connected import NotConnected
from kiosk.money.judged_days import note_contradicted
from kiosk.ports import HostLink, Journal, Log
from kiosk.settings.config import HostSettings, Settings


def not_connected(name: str, why: str = "") -> Any:
    """Refuses everything; a hall has no hospital, and what the settings do not name is not connected.

    ``why``: it is named, and must not be spoken to.
    """
    return NotConnected(name, why)


def host_links(
    settings: Settings, log: Log, always: Iterable[str], if_named: Iterable[str]
) -> dict[str, HttpsHostLink]:
    """One link a host. ``always``: also without settings, where every call is then unknown."""
    nowhere = HostSettings(url="")
    names = (*always, *(name for name in if_named if name in settings.hosts))
    return {
        name: HttpsHostLink(name, settings.hosts.get(name, nowhere), log, production=settings.production)
        for name in names
    }


CLOCK_SKEW_S_MAX = 120.0


def clock_agrees(links: Mapping[str, HttpsHostLink]) -> bool:
    """Whether some host was heard since the start, and no newest answer contradicts our clock."""
    told = [link.clock_skew_s for link in links.values() if link.clock_skew_s is not None]
    return bool(told) and all(abs(skew_s) <= CLOCK_SKEW_S_MAX for skew_s in told)


def note_wrong_clock(links: Mapping[str, HttpsHostLink], journal: Journal) -> None:
    """From now on a row tells each time that a host begins to contradict our clock (``kiosk.money.judged_days``)."""
    for link in links.values():
        link.skew_told = note_contradicted(journal)


def medical_insurance(
    settings: Settings,
    links: Mapping[str, HostLink],
    now: Callable[[], datetime],
    log: Log,
    *,
    newest_id: str,
    forwarder: bool = False,
) -> Any:
    """``newest_id``: of the messages that the journal knows, "" for none. ``forwarder``: with its own share of message
    ids, because two processes must not make the same one."""
    if "medical_insurance" not in links:
        return not_connected("medical_insurance")
    link = links["medical_insurance"]
    try:
        return connect_medical_insurance(settings, link, now, newest_id=newest_id, forwarder=forwarder)
    except MessageIdsUnusable as broken:
        why, said = "message_id_counter", str(broken)
    except ValueError as broken:
        why, said = "signing_keys", str(broken)
    log("medical_insurance_unusable", why=said)
    return not_connected("medical_insurance", why)
