"""Client of the acquirer: one chip payment from the card in the slot to the bank and back, money-rules 8, 21 and 22.

Nothing is repeated here. Before the first byte of an act on money leaves, its ``BankIntent`` is in the caller's
journal; from then to the outcome nothing cancels it, and every way out is done, refused or unknown.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import trio

from kiosk.domain.card import PinTemplate
from kiosk.domain.money import NOTHING, Fen
from kiosk.hosts.bank import codec, messages
from kiosk.hosts.bank.asking import Asking, Call, Line
from kiosk.hosts.bank.codec import Answer, Fields, Verdict
from kiosk.hosts.bank.line import HOST
from kiosk.hosts.bank.rules import debit_rules
from kiosk.hosts.bank.sealing import Sealing
from kiosk.hosts.bank.terminal import TraceCounter
from kiosk.ports import CardGone, Clock, DeviceFault, HostRefused, Log, OutcomeUnknown, PinPad
from kiosk.ports.debit import CardDeclined, DebitAccount, DebitAct, DebitEnd, DebitReader, DebitRun
from kiosk.ports.devices import Progress
from kiosk.ports.money import BankIntent, BankPayment, BankRecord, OpenedPurchase, ReversalDisputed
from kiosk.settings.bank_rules import BankRules

ACT_S_MAX = 60.0  # of everything between intent and outcome: the line's deadline, two MACs, the card's last jobs
LOOK_S_MAX = 3.0  # for a line that is only looked at
NO_TRACE = "000000"
CARD_SAID_NO = "06"  # F39 of a reversal
REVERSIBLE = ("purchase", "void")
DISPUTES = ("12", "25")  # of a reversal: no such act, or not one that can be reversed
_NOT_ASKED = "Z3"  # tag 8A: the bank could not be asked


@dataclass(frozen=True)
class Desk:
    """What the client works with. Devices are looked up at use: the supervisor may have restarted them."""

    reader: Callable[[], DebitReader]
    pad: Callable[[], PinPad]
    record: BankRecord
    clock: Clock
    log: Log
    progress: Progress = lambda now: None  # stars while the bank PIN is typed
    keys_under: Callable[[], int | None] = lambda: 0  # see ``Asking``


@dataclass(frozen=True)
class OpenPurchase:
    """Implements ``ports.money.OpenedPurchase``: the card is open and the PIN is in the pad's block."""

    amount_fen: Fen
    trace_number: str
    run: DebitRun = field(repr=False)
    block: bytes = field(repr=False)


class BankClient:
    """Implements ``ports.money.Bank``."""

    def __init__(self, rules: BankRules, line: Line, traces: TraceCounter, desk: Desk) -> None:
        self._rules = rules
        self._traces = traces
        self._desk = desk
        sealing = Sealing(rules, desk.pad)
        self._asking = Asking(rules, line, traces, sealing, desk.record, desk.log, desk.keys_under)

    def new_trace_number(self) -> str:
        """For the next act, durable before it is told.

        Raises:
            HostRefused: "batch_full".
        """
        return self._asking.new_trace_number()

    async def sign_on(self) -> None:
        """Fetch working keys, load them as cryptograms, compare check values.

        Raises:
            HostRefused: "check_value" when the pad's differs from the bank's; else the bank's code. DeviceFault.
            OutcomeUnknown: no answer; nothing hangs on it, ask again.
        """
        await self._asking.sign_on()

    @property
    def keys_age_s(self) -> float | None:
        """The contract is ``ports.money.Bank.keys_age_s``."""
        return self._asking.keys_age_s

    # --- acts ---------------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """The contract is ``ports.money.Bank.look``. Only the line's handshake and, where it is due, a sign-on."""
        self._desk.pad()  # a pad that is out of order takes no bank PIN later
        await self._ready_for_an_act()
        with trio.move_on_after(LOOK_S_MAX) as patience:
            async with self._asking.line.connected():
                pass
        if patience.cancelled_caught:
            raise HostRefused(HOST, "line_down")
        # Reading the application makes no cryptogram: there is nothing that would have to be ended.
        await self._open_card(messages.GOODS, NOTHING, NO_TRACE)

    async def purchase(self, amount_fen: Fen, trace_number: str) -> BankPayment:
        """``open_purchase`` and ``pay`` in one."""
        return await self.pay(await self.open_purchase(amount_fen, trace_number))

    async def open_purchase(self, amount_fen: Fen, trace_number: str) -> OpenPurchase:
        """The contract is ``ports.money.Bank.open_purchase``.

        Raises:
            HostRefused: "pin_cancelled", "reversal_open", sign-on's codes, and the card's own reasons.
            DeviceFault, CardGone.
        """
        assert amount_fen > 0
        await self._ready_for_an_act()
        run = await self._open_card(messages.GOODS, amount_fen, trace_number)
        return OpenPurchase(amount_fen, trace_number, run, await self._pin_or_abandon(run))

    async def pay(self, opened: OpenedPurchase) -> BankPayment:
        """The contract is ``ports.money.Bank.pay``.

        Raises:
            HostRefused: also "line_down" and the card's own reasons.
            DeviceFault, CardGone: before anything was sent. OutcomeUnknown: reverse it, until answered.
        """
        assert isinstance(opened, OpenPurchase), "opened by this client"
        amount_fen, trace_number, run, block = opened.amount_fen, opened.trace_number, opened.run, opened.block
        async with self._connected(run) as (chip, call):
            intent = self._intent("purchase", amount_fen, trace_number, run)
            fields = messages.purchase(self._asking.station, intent, run.account, block, chip)
            answer = await self._ask_with_card(call, fields, intent, run)
            end = await self._told_card(run, intent, answer)
            self._judge(answer, replace(intent, chip=end.reversal_chip.hex()))
            return self._approved(answer, end, intent, run)

    async def balance(self, trace_number: str) -> Fen:
        """Nothing moves, so nothing is journaled and nothing is reversed."""
        await self._ready_for_an_act()
        run = await self._open_card(messages.BALANCE, NOTHING, trace_number)
        block = await self._pin_or_abandon(run)
        async with self._connected(run) as (chip, call):
            intent = self._intent("balance", NOTHING, trace_number, run)
            fields = messages.balance(self._asking.station, intent, run.account, block, chip)
            answer = await self._ask_with_card(call, fields, intent, run)
            await self._told_card(run, intent, answer)
            self._judge(answer, None)
        try:
            return codec.balance(answer.get("54"))
        except codec.Unreadable as error:
            raise OutcomeUnknown(HOST, str(error)) from error

    async def void(self, payment: BankPayment, trace_number: str) -> None:
        """消费撤销 within the batch, with the card that paid. OutcomeUnknown: ``reverse`` this trace number."""
        await self._give_back("void", payment, trace_number)

    async def refund(self, payment: BankPayment, trace_number: str) -> None:
        """退货. It has no reversal: OutcomeUnknown is a case for staff."""
        await self._give_back("refund", payment, trace_number)

    async def reverse(self, trace_number: str) -> None:
        """One 0400. Returns once the bank has answered yes, or when the journal shows that nothing was ever sent.

        Raises:
            OutcomeUnknown: still open. No answer, no line, no pad, or any other code.
            ReversalDisputed: 12 and 25 close only through reconciliation (money-rules 1).
        """
        intent = self._desk.record.find(trace_number)
        if intent is None:  # an intent is durable before the first byte leaves, so no byte left
            self._desk.log("bank_nothing_sent", host=HOST)
            return
        if intent.kind not in REVERSIBLE:
            raise OutcomeUnknown(HOST, f"a {intent.kind} has no reversal")
        try:
            await self._asking.insist_signed_on()
            fields = messages.reversal(self._asking.station, intent)
            framed = await self._asking.sealed("0400", fields)
            async with self._asking.line.connected() as call:
                answer = await self._asking.ask(call, framed, "0400", trace_number, None)
        except (HostRefused, DeviceFault) as error:
            raise OutcomeUnknown(HOST, "the reversal was not sent") from error
        self._desk.log("bank_reversal", host=HOST, code=answer.get("39"))
        meaning = codec.verdict(answer.get("39"))
        if meaning is Verdict.SIGN_ON:
            self._asking.keys_are_void()
        if answer.get("39") in DISPUTES:
            raise ReversalDisputed(HOST, f"reversal answered {answer.get('39')}")
        if meaning is not Verdict.DONE or not _same_act(answer, intent):
            raise OutcomeUnknown(HOST, f"reversal answered {answer.get('39')}")

    async def send_notices(self) -> None:
        """Tell the bank the script results that it does not have yet, oldest first; stop at the first that fails.

        Raises:
            HostRefused, OutcomeUnknown, DeviceFault: the rest stays owed.
        """
        for intent in self._desk.record.owed_notices():
            await self._asking.insist_signed_on()
            framed = await self._asking.sealed("0620", messages.script_notice(self._asking.station, intent))
            async with self._asking.line.connected() as call:
                answer = await self._asking.ask(call, framed, "0620", intent.trace_number, None)
            self._judge(answer, None)
            self._desk.record.noticed(intent.trace_number)

    # --- the pieces of an act -----------------------------------------------------------------------------------------

    async def _ready_for_an_act(self) -> None:
        if self._desk.record.open_traces():
            raise HostRefused(HOST, "reversal_open")  # money-rules 21
        await self._asking.insist_signed_on()

    async def _open_card(self, kind: int, amount_fen: Fen, trace_number: str) -> DebitRun:
        now, random = self._desk.clock.now(), self._desk.clock.random(4)
        act = DebitAct(kind, amount_fen, trace_number, now.strftime("%y%m%d"), now.strftime("%H%M%S"), random)
        reader = self._desk.reader()
        if not hasattr(reader, "open_debit"):
            # A maker's library (LD/T 33) that passes no commands to the card.
            raise HostRefused(HOST, "no_debit_reader")
        try:
            return await reader.open_debit(debit_rules(self._rules), act)
        except CardDeclined as declined:
            raise HostRefused(HOST, declined.reason) from declined

    async def _pin(self, account: DebitAccount) -> bytes:
        rules = self._rules
        template = PinTemplate(rules.pin_digits_min, rules.pin_digits_max, rules.pin_entry_s)
        block = await self._desk.pad().pin_block(
            rules.pad_master, rules.pin_slot, account.pan12, template, self._desk.progress
        )
        if block is None:
            raise HostRefused(HOST, "pin_cancelled")
        return block

    async def _pin_or_abandon(self, run: DebitRun) -> bytes:
        try:
            return await self._pin(run.account)
        except (HostRefused, DeviceFault, trio.Cancelled):
            await _abandon(run)
            raise

    @asynccontextmanager
    async def _connected(self, run: DebitRun) -> AsyncIterator[tuple[bytes, Call]]:
        """ARQC, and a line that stands. Whatever goes wrong until then, the card makes an AAC and nothing was asked;
        from then on the body is shielded, with a limit of its own."""
        try:
            chip = await run.request()
        except CardDeclined as declined:
            raise HostRefused(HOST, declined.reason) from declined
        except (DeviceFault, trio.Cancelled):
            await _abandon(run)
            raise
        async with self._line_or_abandon(run) as call:
            with trio.move_on_after(ACT_S_MAX, shield=True):
                yield chip, call
                return
            raise OutcomeUnknown(HOST, "took too long")

    @asynccontextmanager
    async def _line_or_abandon(self, run: DebitRun) -> AsyncIterator[Call]:
        async with AsyncExitStack() as stack:
            try:
                call = await stack.enter_async_context(self._asking.line.connected())
            except (HostRefused, trio.Cancelled):
                await _abandon(run)
                raise
            yield call

    def _intent(self, kind: str, amount_fen: Fen, trace_number: str, run: DebitRun) -> BankIntent:
        account = run.account
        with_pin = kind not in ("refund",) and (kind != "void" or self._rules.pin_for_void)
        return BankIntent(
            kind=kind,
            trace_number=trace_number,
            batch_number=self._traces.batch_number,
            amount_fen=amount_fen,
            processing=messages.processing_code(kind),
            entry_mode=messages.CHIP_WITH_PIN if with_pin else messages.CHIP_WITHOUT_PIN,
            pan=account.pan,
            expires=account.expires,
            sequence=account.sequence,
            chip=run.reversal_chip.hex() if kind == "purchase" else "",
        )

    async def _ask_with_card(self, call: Call, fields: Fields, intent: BankIntent, run: DebitRun) -> Answer:
        """0200 with the card waiting: whatever the question came to, the card is not left with an ARQC."""
        try:
            framed = await self._asking.sealed("0200", fields)
            kept = None if intent.kind == "balance" else intent
            return await self._asking.ask(call, framed, "0200", intent.trace_number, kept)
        except (OutcomeUnknown, DeviceFault):
            await _abandon(run)
            raise

    async def _told_card(self, run: DebitRun, intent: BankIntent, answer: Answer) -> DebitEnd:
        """Second GENERATE AC and scripts; what came of the scripts is owed to the bank from here on."""
        code = answer.get("39")
        understood = codec.verdict(code) is not Verdict.UNKNOWN and _same_act(answer, intent)
        try:
            end = await run.finish(code if understood else _NOT_ASKED, bytes.fromhex(answer.get("55")))
        except (CardGone, DeviceFault, CardDeclined):
            return DebitEnd(False, run.reversal_chip)
        if end.notice_chip:
            self._owe_notice(intent, end)
        return end

    def _owe_notice(self, intent: BankIntent, end: DebitEnd) -> None:
        try:
            trace_number = self.new_trace_number()
        except HostRefused:  # the payment's own outcome must not be hidden by a notice without a number
            self._desk.log("bank_notice_dropped", host=HOST, reason="batch_full")
            return
        notice = replace(
            intent,
            kind="script_notice",
            trace_number=trace_number,
            chip=end.notice_chip.hex(),
            original_trace=intent.trace_number,
            original_batch=intent.batch_number,
        )
        self._desk.record.keep(notice)

    def _judge(self, answer: Answer, intent: BankIntent | None) -> None:
        """Return only for an approval of exactly what was asked; otherwise raise by the class of the code."""
        code = answer.get("39")
        meaning = codec.verdict(code)
        self._desk.log("bank_answer", host=HOST, code=code, outcome=meaning.value)
        if meaning in (Verdict.SIGN_ON, Verdict.REFUSED, Verdict.CALL_BANK):
            if meaning is Verdict.SIGN_ON:
                self._asking.keys_are_void()  # signed on again before the next act; this one is not sent again
            raise HostRefused(HOST, code)
        if meaning is Verdict.UNKNOWN:
            raise OutcomeUnknown(HOST, f"code {code}")
        if meaning is Verdict.PARTIAL or (intent is not None and not _same_act(answer, intent)):
            if intent is not None:
                self._desk.record.keep(replace(intent, reason=CARD_SAID_NO, authorization=answer.get("38")))
            raise OutcomeUnknown(HOST, "partial" if meaning is Verdict.PARTIAL else "answer to another act")

    def _approved(self, answer: Answer, end: DebitEnd, intent: BankIntent, run: DebitRun) -> BankPayment:
        if not end.approved:
            chip = end.reversal_chip.hex()
            known = replace(intent, chip=chip, reason=CARD_SAID_NO, authorization=answer.get("38"))
            self._desk.record.keep(known)
            raise OutcomeUnknown(HOST, "card_declines")  # money-rules 22: reversed with field 55
        return BankPayment(
            trace_number=intent.trace_number,
            batch_number=intent.batch_number,
            reference=answer.get("37"),
            authorization=answer.get("38"),
            amount_fen=intent.amount_fen,
            card_first6_last4=run.account.first6_last4,
            paid_on=answer.get("13"),
        )

    async def _give_back(self, kind: str, payment: BankPayment, trace_number: str) -> None:
        """The chip is only read (an AAC ends it): an approval of taking back needs no cryptogram."""
        await self._ready_for_an_act()
        run = await self._open_card(messages.REFUND, payment.amount_fen, trace_number)
        if run.account.first6_last4 != payment.card_first6_last4:
            await _abandon(run)
            raise HostRefused(HOST, "another_card")  # money-rules 18
        asks_pin = kind == "void" and self._rules.pin_for_void
        try:
            block = await self._pin(run.account) if asks_pin else b""
        finally:
            await _abandon(run)
        intent = replace(
            self._intent(kind, payment.amount_fen, trace_number, run),
            reference=payment.reference,
            original_trace=payment.trace_number,
            original_batch=payment.batch_number,
        )
        await self._send_back(intent, run.account, block, payment)

    async def _send_back(self, intent: BankIntent, account: DebitAccount, block: bytes, payment: BankPayment) -> None:
        if intent.kind == "void":
            mti, fields = "0200", messages.void(self._asking.station, intent, account, block, payment)
        else:
            mti, fields = "0220", messages.refund(self._asking.station, intent, account, payment)
        framed = await self._asking.sealed(mti, fields)
        async with self._asking.line.connected() as call:
            with trio.move_on_after(ACT_S_MAX, shield=True):
                answer = await self._asking.ask(call, framed, mti, intent.trace_number, intent)
                self._judge(answer, intent)
                return
            raise OutcomeUnknown(HOST, "took too long")


def _same_act(answer: Answer, intent: BankIntent) -> bool:
    """The trace number was compared already."""
    return intent.kind == "balance" or answer.get("4") == f"{intent.amount_fen:012d}"


async def _abandon(run: DebitRun) -> None:
    with trio.CancelScope(shield=True, deadline=trio.current_time() + ACT_S_MAX):
        await run.abandon()
