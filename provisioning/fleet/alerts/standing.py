"""What the fleet itself watches beside its terminals: records that do not fit, rollouts that returned, what expires.

Each part that knows of something tells it as a ``Standing``; here the open alerts are made to agree with that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

from provisioning.fleet.alerts.watch import HALL_DARK, begin, end, place_of_city
from provisioning.fleet.calls.acts import LATE_MS
from provisioning.fleet.database import step
from provisioning.fleet.schema.alerts import Alert
from provisioning.fleet.schema.calls import StaffCall
from provisioning.fleet.schema.ledger import LedgerAlert
from provisioning.fleet.schema.rollouts import Rollout
from provisioning.fleet.schema.terminals import Certificate, Terminal
from provisioning.rules.alerts import GRAVES, Rule

DAY_MS = 86_400_000
NOTICE_DAYS, WARN_DAYS, URGENT_DAYS = 90, 30, 7
LISTED_MAX = 500
SUBJECT_MAX = 80  # characters that an alert keeps of it


@dataclass(frozen=True)
class Standing:
    """Something stands and wants a person. ``subject``: what it is about, one alert each. ``place`` 0: the city."""

    rule: str
    subject: str
    severity: str = "warning"
    role: str = "operator"
    place: int = 0
    terminal: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


Source = Callable[[str, int], Iterable[Standing]]  # of a city, at a moment


def settle(tenant: str, sources: Mapping[str, Source], at_ms: int) -> None:
    """``sources``: rule -> who tells of it. Begins what stands and has no alert, ends what stands no more. What became
    graver begins anew, so that whoever was told before is told again."""
    city = place_of_city(tenant)
    with step():
        for name, source in sources.items():
            mine = (Alert.tenant == tenant) & (Alert.rule == name) & Alert.ended_ms.is_null()
            open_ = {alert.subject: alert for alert in Alert.select().where(mine)}
            standing = {one.subject[:SUBJECT_MAX]: one for one in source(tenant, at_ms)}
            for subject, one in standing.items():
                known = open_.get(subject)
                if known is not None and GRAVES.index(one.severity) <= GRAVES.index(known.severity):
                    del open_[subject]
                    if one.severity != known.severity:
                        Alert.update(severity=one.severity).where(Alert.id == known.id).execute()
                    continue
                rule = Rule(name=name, figure="", bound=0, severity=one.severity, role=one.role)
                about = {"subject": subject, "place": one.place or city, "terminal": one.terminal}
                begin(tenant, rule, at_ms, told=True, facts=dict(one.facts), **about)
            end(open_.values(), at_ms)


def ledger_troubles(tenant: str, at_ms: int) -> Iterable[Standing]:
    """Journals with a gap, other rows, or a head that nobody signed: until a person settled each."""
    open_ = (LedgerAlert.tenant == tenant) & LedgerAlert.settled_ms.is_null()
    for row in LedgerAlert.select().where(open_).order_by(LedgerAlert.id).limit(LISTED_MAX):
        facts = {"row": row.seq, "why": row.why}
        yield Standing("ledger", f"{row.terminal_id} row {row.seq}: {row.why}", "urgent", "auditor", facts=facts)


def rollouts_back(tenant: str, at_ms: int) -> Iterable[Standing]:
    """A rollout that returned by itself waits for a person who decides what becomes of it."""
    for row in Rollout.select().where((Rollout.tenant == tenant) & Rollout.state.in_(("returning", "returned"))):
        yield Standing("rollout", str(row.name), "urgent", facts={"rollout": row.id, "why": row.why})


def certificates_ending(tenant: str, at_ms: int) -> Iterable[Standing]:
    """The newest certificate of an active terminal ends soon: it is dark, or its renewal does not work."""
    soon = Certificate.not_after_ms <= at_ms + WARN_DAYS * DAY_MS
    good = Certificate.revoked_ms.is_null()
    later = Certificate.alias()
    renewed = (later.terminal == Certificate.terminal) & (later.not_after_ms > Certificate.not_after_ms)
    newest = ~fn.EXISTS(later.select().where(renewed))
    rows = (
        Certificate.select(Certificate, Terminal)
        .join(Terminal)
        .where((Terminal.tenant == tenant) & (Terminal.state == "active") & soon & good & newest)
        .limit(LISTED_MAX)
    )
    for row in rows:
        severity = "urgent" if row.not_after_ms <= at_ms + URGENT_DAYS * DAY_MS else "warning"
        terminal = row.terminal
        facts = {"ends_ms": row.not_after_ms}
        name = str(terminal.terminal_id)
        yield Standing("certificate", name, severity, place=terminal.place_id, terminal=int(terminal.id), facts=facts)


def calls_unanswered(tenant: str, at_ms: int) -> Iterable[Standing]:
    """Somebody stands at a terminal, asked for help, and nobody took the call for ten minutes."""
    free = (StaffCall.tenant == tenant) & StaffCall.acknowledged_ms.is_null() & (StaffCall.at_ms < at_ms - LATE_MS)
    today = StaffCall.at_ms > at_ms - DAY_MS  # later nobody stands there any more; it stays a figure of the hall
    for row in StaffCall.select(StaffCall, Terminal).join(Terminal).where(free & today).limit(LISTED_MAX):
        subject = f"{row.terminal.terminal_id} {row.case_code}"
        yield Standing("call", subject, place=row.place_id, facts={"reason": row.reason, "at_ms": row.at_ms})


SOURCES: Mapping[str, Source] = {
    "ledger": ledger_troubles,
    "rollout": rollouts_back,
    "certificate": certificates_ending,
    "call": calls_unanswered,
}
# What no city sets, with how grave each begins and may become.
FIXED: Mapping[str, tuple[str, ...]] = {
    HALL_DARK: ("urgent",),
    "ledger": ("urgent",),
    "rollout": ("urgent",),
    "certificate": ("warning", "urgent"),
    "expiring": ("notice", "warning", "urgent"),
    "call": ("warning",),
}
