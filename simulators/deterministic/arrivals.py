"""What hosts were asked, by key, and what they have of it: order, nothing twice, nothing lost (rules 3, 6, 19)."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from kiosk.domain.entries import StoredEntry
from simulators.deterministic.offline import in_effect_once
from simulators.deterministic.strikes import REGISTERS
from simulators.deterministic.terminal import Life

# A lease ends by its name, and an order runs by message ids of its own: neither notice carries its key.
NOTICES = """
    select key, host, card_index, state, seq, act from notice where act not in ('release', 'settlement_order')
    order by seq
"""
TOLD = ("told", "answered")
RECORD_HOSTS = ("hospital", "social_insurance")


def told_means_arrived(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """A notice that counts as told was once at its host."""
    for key, host, _, state, _, _ in _notices(life):
        if state in TOLD and key not in life.terminal.network.arrived.get(host, ()):
            yield f"{key} counts as told to {host} and never came there"


def order_of_each_card(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What one card did reaches a host in the order in which it was done."""
    network = life.terminal.network
    for host, arrived in network.arrived.items():
        # The first time that it came since it is owed: what a visit asked before, by the same key, was another thing.
        place: dict[str, int] = {}
        for number, key in enumerate(arrived):
            if number >= network.owed_at.get(key, 0):
                place.setdefault(key, number)
        newest: dict[str, tuple[int, int]] = {}  # card -> seq of the one that came last so far, and when
        for key, its_host, card, _, seq, act in _notices(life):
            if its_host != host or not card or key not in place:
                continue
            before, came = newest.get(card, (0, -1))
            # What one commit owes has no order, and a payment is told by the visit itself, for its invoice (rule 6).
            if place[key] < came and before < seq and act != "payment":
                yield f"at {host} {key} came before an older one of its card"
            newest[card] = max((before, came), (seq, place[key]), key=lambda one: one[1])


def nothing_is_refused_for_ever(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """A notice that its host will never take says that the terminal did what it was not to do."""
    for key, host, _, state, _, _ in _notices(life):
        if state == "quarantined":
            yield f"{host} does not take {key}"


def vouchers_are_paid_once(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Rule 19: what all terminals paid for a debt, and what is left of it, is what was owed; and ours is booked."""
    confirmed: dict[str, int] = {}
    for debts in [life.terminal.hosts[name].debts for name in REGISTERS]:
        paid: dict[str, int] = {}
        for key, voucher, fen in debts.payouts():
            paid[voucher] = paid.get(voucher, 0) + fen
            confirmed[key] = fen
        for row in debts.all():
            if paid.get(row.voucher, 0) + row.left_fen != row.owed_fen:
                yield f"{row.voucher}: {paid.get(row.voucher, 0)} fen paid, {row.left_fen} left of {row.owed_fen}"
    if life.books.unsent().count:
        return
    for entry in entries:
        facts = entry.facts or {}
        if entry.act == "debt_paid_out" and confirmed.get(str(facts["key"])) != facts["paid_fen"]:
            yield f"{facts['voucher']}: {facts['paid_fen']} fen went out, {confirmed.get(str(facts['key']))} are booked"


def offline_is_in_effect_once(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """Contributions and loss reports that were taken without a line."""
    if life.books.unsent().count:
        return
    hosts = life.terminal.hosts
    credited = {key: amount for key, _, _, _, amount in hosts["social_insurance"].contributions.credited()}
    reported = {word for row in hosts["card_platform"].losses.reports() for word in row}
    yield from in_effect_once(entries, credited, reported)


def records_say_what_came_out(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What a counter reads of a paper is what its holder has in hand: of this terminal's row, told once for each time
    that a printer said "printed"; the first of them is no reprint."""
    rows = {entry.seq: entry for entry in entries}
    printed = Counter(int(str((one.facts or {}).get("paper", 0))) for one in entries if one.act == "receipt_delivered")
    recorded: Counter[int] = Counter()
    for host in RECORD_HOSTS:
        for card, told in life.terminal.hosts[host].books.execute("SELECT card_number, record FROM receipt_records"):
            record = msgspec.json.decode(told)
            row, seq = rows.get(record["paper"]), record["paper"]
            recorded[seq] += 1
            if row is None or row.case_code != record["case_code"] or not _same_time(row.at, record["owed_at"]):
                yield f"{host} has a record of paper {seq}, which is another one here"
            elif (row.facts or {}).get("card_number") not in (None, card):
                yield f"{host} has paper {seq} under another card"
            if recorded[seq] > printed[seq]:
                yield f"{host} has {recorded[seq]} records of paper {seq}, which came out {printed[seq]} times"
    told_of = [key for key, _, _, state, _, act in _notices(life) if act == "receipt_record" and state in TOLD]
    if len(told_of) != recorded.total():
        yield f"{len(told_of)} records count as told, {recorded.total()} are kept"


def ledger_has_the_chain(life: Life, entries: list[StoredEntry]) -> Iterator[str]:
    """What the agency keeps is this chain from its first row on, without a gap and without another one beside it."""
    ledger = life.terminal.hosts.get("agency_ledger")
    if ledger is None:
        return
    ours = dict(life.journal.database.execute_sql("select seq, hex(link) from entry"))
    name = life.forwarding.settings.terminal.terminal_id
    yield from (f"alert at the agency, row {seq}: {why}" for seq, why in ledger.alerts(name))
    seq, link = ledger.kept_up_to(name)
    if seq and ours.get(seq, "").lower() != link.lower():
        yield f"row {seq} at the agency is not ours"


def _notices(life: Life) -> list[tuple[str, str, str, str, int, str]]:
    return list(life.journal.database.execute_sql(NOTICES))


def _same_time(ours: str, theirs: str) -> bool:
    return datetime.fromisoformat(ours) == datetime.fromisoformat(theirs)
