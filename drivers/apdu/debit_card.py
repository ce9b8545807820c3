"""The bank application of the card (PBOC / EMV): jobs that yield APDUs, to be run whole in the card's thread.

``open_application`` -> ``first_cryptogram`` -> ``finish`` or ``abandon``. One ``DebitState`` goes through all of them;
between two jobs no other may run on the card. No kernel certification is claimed (money-rules 22).
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field

from drivers.apdu import emv_oda as oda
from drivers.apdu import emv_risk as risk
from drivers.apdu import emv_tlv as tlv
from drivers.apdu.command import Command
from drivers.apdu.emv_script import AFTER, BEFORE, run_scripts
from drivers.apdu.exchange import send
from drivers.apdu.status import OK, CardRefused
from kiosk.ports.debit import CardDeclined, DebitAccount, DebitAct, DebitEnd, DebitRules

PSE = b"1PAY.SYS.DDF01"
PSE_RECORDS_MAX = 10
RECORDS_MAX = 40
AAC, TC, ARQC = 0x00, 0x40, 0x80
APPROVED = frozenset({"00", "11", "A2", "A4", "A5", "A6"})  # 10 (partial) is not: it will be reversed
_AIP_SDA, _AIP_DDA, _AIP_ISSUER_AUTHENTICATION = 0x40, 0x20, 0x04

# Field 55, by the list in card-and-hosts 1b and 5.2. The notice's list is from memory of acquirers' texts.
REQUEST_TAGS = (
    "9F26 9F27 9F10 9F37 9F36 95 9A 9C 9F02 5F2A 82 9F1A 9F03 9F33 9F34 9F35 9F1E 84 9F09 9F41".split()  # noqa: SIM905 - as the tables print it
)
REVERSAL_TAGS = ("95", "9F1E", "9F10", "9F36", "DF31")
NOTICE_TAGS = ("9F33", "95", "9F37", "9F1E", "9F10", "9F26", "9F36", "82", "DF31", "9F1A", "9A")

Step = Generator[bytes, bytes, None]


@dataclass
class DebitState:
    """Everything known of one payment with one card."""

    rules: DebitRules
    act: DebitAct
    aid: bytes = b""
    tags: tlv.Tags = field(default_factory=dict)
    results: risk.Results = field(default_factory=risk.Results)
    static: bytes = b""  # records that the AFL marks for authentication
    scripts: list[bytes] = field(default_factory=list)
    code: bytes = b""  # tag 8A

    def values(self) -> tlv.Tags:
        """All tags that a DOL or field 55 may ask for."""
        rules, act = self.rules, self.act
        own = {
            "9F02": bytes.fromhex(f"{act.amount_fen:012d}"),
            "9F03": bytes(6),
            "9F1A": bytes.fromhex(rules.country),
            "5F2A": bytes.fromhex(rules.currency),
            "95": bytes(self.results.tvr),
            "9B": bytes(self.results.tsi),
            "9A": bytes.fromhex(act.day),
            "9F21": bytes.fromhex(act.time),
            "9C": bytes((act.kind,)),
            "9F37": act.unpredictable,
            "9F33": rules.terminal_capabilities,
            "9F34": self.results.cvm,
            "9F35": bytes((rules.terminal_type,)),
            "9F1E": rules.ifd_serial.encode("ascii")[:8].ljust(8, b"0"),
            "9F09": rules.app_version,
            "9F41": bytes.fromhex(act.trace_number.rjust(8, "0")),
            "8A": self.code,
            "DF31": b"".join(self.scripts),
        }
        return self.tags | own

    def chip(self, wanted: tuple[str, ...] | list[str]) -> bytes:
        """Field 55 of these tags; one that is not known is left out."""
        values = self.values()
        return tlv.encode_all((tag, values[tag]) for tag in wanted if values.get(tag))


def open_application(rules: DebitRules, act: DebitAct) -> Generator[bytes, bytes, DebitState]:
    """Select, initiate, read, authenticate, check restrictions.

    Raises:
        CardDeclined: "no_application", "blocked" or "malformed".
    """
    state = DebitState(rules, act)
    try:
        yield from _select(state)
        yield from _initiate(state)
        yield from _read_records(state)
        yield from _authenticate(state)
        risk.restrictions(state.results, state.tags, rules, act.day)
        account_of(state)
    except (tlv.MalformedTlv, CardRefused) as error:
        raise CardDeclined("malformed") from error
    return state


def account_of(state: DebitState) -> DebitAccount:
    """Raises CardDeclined: no PAN, or two that differ."""
    tags = state.tags
    pan = tags.get("5A", b"").hex().rstrip("f")
    track2 = tags.get("57", b"").hex().upper().rstrip("F")
    expires = tags.get("5F24", b"").hex()
    if not (pan.isdigit() and 12 <= len(pan) <= 19 and expires.isdigit() and len(expires) == 6):
        raise CardDeclined("malformed")
    sequence = tags.get("5F34", b"\0").hex()
    if track2 and not re.fullmatch(rf"{pan}D[0-9]{{4,{36 - len(pan)}}}", track2):
        raise CardDeclined("malformed")
    if not (sequence.isdigit() and len(sequence) == 2):
        raise CardDeclined("malformed")
    return DebitAccount(pan, sequence, expires[:4], track2, state.aid.hex().upper())


def first_cryptogram(state: DebitState) -> Generator[bytes, bytes, bytes]:
    """CVM, risk, action analysis, GENERATE AC; field 55 of the request.

    Raises:
        CardDeclined: "terminal_declines" or "card_declines" (an AAC was made), or "malformed".
    """
    risk.cardholder_verification(state.results, state.tags)
    risk.terminal_risk(state.results, state.act, state.rules)
    action = risk.decide(state.results, state.tags, state.rules)
    try:
        made = yield from _generate(state, ARQC if action is risk.Action.ONLINE else AAC, "8C")
    except (tlv.MalformedTlv, CardRefused) as error:
        raise CardDeclined("malformed") from error
    if action is risk.Action.DENY:
        raise CardDeclined("terminal_declines")
    if made != ARQC:
        raise CardDeclined("card_declines")
    return state.chip(list(REQUEST_TAGS))


def finish(state: DebitState, code: str, chip: bytes) -> Generator[bytes, bytes, DebitEnd]:
    """Issuer authentication, scripts 71, second GENERATE AC, scripts 72. A card that balks has not approved."""
    state.code = code.encode("ascii")
    approved = False
    try:
        yield from _issuer_authentication(state, chip)
        yield from _scripts(state, chip, BEFORE)
        made = yield from _generate(state, TC if code in APPROVED else AAC, "8D")
        approved = made == TC and code in APPROVED
        yield from _scripts(state, chip, AFTER)
    except (tlv.MalformedTlv, CardRefused):
        pass  # ``approved`` says what the card had said until then
    notice = state.chip(NOTICE_TAGS) if state.scripts else b""
    return DebitEnd(approved, reversal_chip(state), notice)


def reversal_chip(state: DebitState) -> bytes:
    return state.chip(REVERSAL_TAGS)


def abandon(state: DebitState) -> Step:
    """An AAC, if the card will still make one; what it answers changes nothing."""
    state.code = b"Z3"
    try:
        yield from _generate(state, AAC, "8D" if "9F26" in state.tags else "8C")
    except (tlv.MalformedTlv, CardRefused):
        return


# --- selection and reading ----------------------------------------------------------------------------------------


def _select(state: DebitState) -> Step:
    offered = yield from _listed()
    wanted = [bytes.fromhex(aid) for aid in state.rules.aids]
    # A card without a directory is asked for each application by its name (EMV Book 1, 12.3.3).
    for aid in [aid for aid in wanted if offered is None or aid in offered]:
        answer = yield from send(Command(0x00, 0xA4, 0x04, 0x00, aid, le=0x100))
        if answer.status == 0x6A81:
            raise CardDeclined("blocked")
        if answer.status == OK:
            state.aid = aid
            state.tags.update(tlv.decode(answer.data))
            return
        if answer.status == 0x6283:
            raise CardDeclined("blocked")
    raise CardDeclined("no_application")


def _listed() -> Generator[bytes, bytes, list[bytes] | None]:
    """What the directory lists, None where there is no directory."""
    answer = yield from send(Command(0x00, 0xA4, 0x04, 0x00, PSE, le=0x100))
    if answer.status == 0x6A81:
        raise CardDeclined("blocked")
    sfi = tlv.decode(answer.data).get("88", b"") if answer.status == OK else b""
    if not sfi:
        return None
    found: list[bytes] = []
    for number in range(1, PSE_RECORDS_MAX + 1):
        answer = yield from send(Command(0x00, 0xB2, number, sfi[0] << 3 | 4, le=0x100))
        if answer.status != OK:
            break
        for _, template in tlv.walk(answer.data):
            found += [tlv.decode(entry).get("4F", b"") for tag, entry in tlv.walk(template) if tag == "61"]
    return found


def _initiate(state: DebitState) -> Step:
    """GET PROCESSING OPTIONS; both forms of answer."""
    asked = tlv.fill_dol(state.tags.get("9F38", b""), state.values())
    answer = yield from send(Command(0x80, 0xA8, 0x00, 0x00, tlv.encode("83", asked), le=0x100))
    if answer.status == 0x6985:
        raise CardDeclined("not_permitted")
    _insist("get_processing_options", answer.status)
    for tag, value in tlv.walk(answer.data):
        if tag == "80" and len(value) >= 2:
            state.tags.update({"82": value[:2], "94": value[2:]})
        elif tag == "77":
            state.tags.update(tlv.decode(value))
    if len(state.tags.get("82", b"")) != 2:
        raise tlv.MalformedTlv("no AIP")


def _read_records(state: DebitState) -> Step:
    files = state.tags.get("94", b"")
    read = 0
    for at in range(0, len(files) - 3, 4):
        sfi, first, last, signed = files[at] >> 3, files[at + 1], files[at + 2], files[at + 3]
        for number in range(first, last + 1):
            read += 1
            if read > RECORDS_MAX:
                raise tlv.MalformedTlv("too many records")
            answer = yield from send(Command(0x00, 0xB2, number, sfi << 3 | 4, le=0x100))
            _insist("read_record", answer.status)
            _take_record(state, sfi, answer.data, signed=number < first + signed)


def _take_record(state: DebitState, sfi: int, record: bytes, *, signed: bool) -> None:
    objects = list(tlv.walk(record))
    if len(objects) != 1 or objects[0][0] != "70":
        raise tlv.MalformedTlv("record without template")
    value = objects[0][1]
    if signed:
        state.static += value if sfi <= 10 else record
    for found, content in tlv.decode(value).items():
        if found in state.tags and state.tags[found] != content:
            raise tlv.MalformedTlv("tag twice")  # Book 3, 10.2: redundant data end the payment
        state.tags[found] = content


def _insist(step: str, status: int) -> None:
    if status != OK:
        raise CardRefused(step, status)


# --- offline data authentication -----------------------------------------------------------------------------------


def _authenticate(state: DebitState) -> Step:
    """The best that both sides know; a failure is marked and left to the action codes (10.3)."""
    profile = state.tags["82"][0]
    if not profile & (_AIP_SDA | _AIP_DDA):
        state.results.mark(risk.ODA_NOT_DONE)
        return
    state.results.tsi[0] |= 0x80
    dynamic = bool(profile & _AIP_DDA)
    try:
        issuer = oda.issuer_key(state.rules, state.aid[:5].hex(), state.tags, state.act.day)
        static = oda.static_data(state.static, state.tags)
        if not dynamic:
            oda.check_static(issuer, state.tags, static)
            return
        card = oda.card_key(issuer, state.tags, static, state.act.day)
        asked = tlv.fill_dol(state.tags.get("9F49", bytes.fromhex("9F3704")), state.values())
        answer = yield from send(Command(0x00, 0x88, 0x00, 0x00, asked, le=0x100))
        oda.check_dynamic(card, _signature(answer.data, answer.status), asked)
    except (oda.NotAuthentic, CardRefused):
        state.results.mark(risk.DDA_FAILED if dynamic else risk.SDA_FAILED)


def _signature(answer: bytes, status: int) -> bytes:
    _insist("internal_authenticate", status)
    found = dict(tlv.walk(answer))
    return found["80"] if "80" in found else tlv.decode(answer).get("9F4B", b"")


# --- cryptograms -----------------------------------------------------------------------------------------------------


def _generate(state: DebitState, kind: int, dol: str) -> Generator[bytes, bytes, int]:
    """One GENERATE AC; what kind the card made."""
    if dol not in state.tags:
        raise tlv.MalformedTlv("no CDOL")
    asked = tlv.fill_dol(state.tags[dol], state.values())
    answer = yield from send(Command(0x80, 0xAE, kind, 0x00, asked, le=0x100))
    _insist("generate_ac", answer.status)
    for tag, value in tlv.walk(answer.data):
        if tag == "80" and len(value) >= 11:
            made = {"9F27": value[:1], "9F36": value[1:3], "9F26": value[3:11], "9F10": value[11:]}
            state.tags.update(made)
        elif tag == "77":
            state.tags.update(tlv.decode(value))
    state.results.tsi[0] |= 0x20
    told = state.tags.get("9F27", b"")
    if len(told) != 1 or "9F26" not in state.tags or "9F36" not in state.tags:
        raise tlv.MalformedTlv("no cryptogram")
    return told[0] & 0xC0


def _issuer_authentication(state: DebitState, chip: bytes) -> Step:
    """By EXTERNAL AUTHENTICATE where the AIP says so, else 91 rides in the second GENERATE AC."""
    proof = next((value for tag, value in tlv.walk(chip) if tag == "91"), b"")
    if not proof:
        return
    state.tags["91"] = proof
    if not state.tags["82"][0] & _AIP_ISSUER_AUTHENTICATION:
        return
    state.results.tsi[0] |= 0x10
    answer = yield from send(Command(0x00, 0x82, 0x00, 0x00, proof))
    if answer.status != OK:
        state.results.mark(risk.ISSUER_AUTHENTICATION_FAILED)


def _scripts(state: DebitState, chip: bytes, which: str) -> Step:
    results = yield from run_scripts(chip, which)
    if not results:
        return
    state.results.tsi[0] |= 0x04
    state.scripts += results
    if any(result[0] >> 4 != 2 for result in results):
        state.results.mark(risk.SCRIPT_FAILED_BEFORE if which == BEFORE else risk.SCRIPT_FAILED_AFTER)
