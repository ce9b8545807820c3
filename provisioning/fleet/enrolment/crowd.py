"""Room for whoever asks next: anybody may make keys and ask with them, and nobody may fill the list with theirs.

Nobody is ever turned away for the others' sake. A terminal in front of an installer asks every few seconds, so what
goes is what was asked least lately, of the network that asks with the most keys; one that went and asks again is back.
"""

from collections import deque
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

from provisioning.fleet.schema.enrolment import EnrolmentRequest

WAITING_MAX = 10_000  # requests that nobody answered
FORGOTTEN_MS = 7 * 24 * 3600 * 1000  # a request that is asked no more for so long goes
GOING = 100  # at once, so that a crowd's every key does not cost a look at all of them
HOUSE_BITS = 64  # of an IPv6 address: what one line is given (RFC 6177)


def make_room(at_ms: int) -> None:
    """Inside a step."""
    waits = EnrolmentRequest.state == "waiting"
    if EnrolmentRequest.select().where(waits).count() < WAITING_MAX:
        return
    EnrolmentRequest.delete().where(waits & (EnrolmentRequest.last_ms < at_ms - FORGOTTEN_MS)).execute()
    over = EnrolmentRequest.select().where(waits).count() - WAITING_MAX + 1
    if over > 0:
        _send_away(max(over, GOING))


def network_of(address: str) -> str:
    """Whom one line's addresses belong to: an IPv4 address, or what an IPv6 line is given; else the words."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if isinstance(read, IPv4Address):
        return str(read)
    return str(read.ipv4_mapped or IPv6Network((int(read), HOUSE_BITS), strict=False))


def _send_away(count: int) -> None:
    """One after the other, each of whoever has the most then: a modest network never gets smaller than a greedy one."""
    waits = EnrolmentRequest.state == "waiting"
    rows: Any = EnrolmentRequest.select(
        EnrolmentRequest.fingerprint, EnrolmentRequest.address, EnrolmentRequest.last_ms
    )
    theirs: dict[str, deque[tuple[int, str]]] = {}
    for fingerprint, address, last_ms in rows.where(waits).order_by(EnrolmentRequest.last_ms).tuples():
        theirs.setdefault(network_of(address), deque()).append((last_ms, fingerprint))
    going = []
    for _ in range(min(count, sum(map(len, theirs.values())))):
        greedy = max((keys for keys in theirs.values() if keys), key=lambda keys: (len(keys), -keys[0][0]))
        going.append(greedy.popleft()[1])
    EnrolmentRequest.delete().where(EnrolmentRequest.fingerprint.in_(going)).execute()
