"""One question and its answer: sealed by the pad, framed, sent once, and believed only with a right MAC."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol

import trio

from kiosk.hosts.bank import codec, messages
from kiosk.hosts.bank.codec import Answer, Fields, Verdict
from kiosk.hosts.bank.line import HOST
from kiosk.hosts.bank.sealing import Sealing
from kiosk.hosts.bank.terminal import BatchFull, TraceCounter, TraceCounterBroken
from kiosk.ports import DeviceFault, HostRefused, Log, OutcomeUnknown
from kiosk.ports.money import BankIntent, BankRecord
from kiosk.settings.bank_rules import BankRules

BAD_MAC = "A0"  # F39 of a reversal
_ANSWERS = {"0200": "0210", "0220": "0230", "0400": "0410", "0620": "0630"}


class Call(Protocol):
    """A connection that stands, for one question; the contract is ``line.BankCall``."""

    async def ask(self, frame: bytes) -> bytes: ...


class Line(Protocol):
    """The way to the bank: ``line.BankLine``, or one in memory."""

    def connected(self) -> AbstractAsyncContextManager[Call]: ...


class Asking:
    """Keeps the sign-on alive and knows nothing of cards.

    ``keys_under``: changes when the keys that ours are loaded under were typed anew; None: they are in doubt.
    """

    def __init__(
        self,
        rules: BankRules,
        line: Line,
        traces: TraceCounter,
        sealing: Sealing,
        record: BankRecord,
        log: Log,
        keys_under: Callable[[], int | None] = lambda: 0,
    ) -> None:
        self.line = line
        self._rules = rules
        self._traces = traces
        self._sealing = sealing
        self._record = record
        self._log = log
        self._signed_on_at: float | None = None
        self._keys_under, self._signed_on_under = keys_under, 0
        # Two at once would leave the keys of one and the keys of the other in the pad, and neither pair at the bank.
        self._one_sign_on = trio.Lock()

    @property
    def station(self) -> messages.Station:
        return messages.Station(self._rules.terminal_id, self._rules.merchant_id, self._traces.batch_number)

    def new_trace_number(self) -> str:
        """Durable before it is told. Raises HostRefused: "batch_full"."""
        try:
            return self._traces.draw()
        except BatchFull as error:
            raise HostRefused(HOST, "batch_full") from error

    # --- sign-on ------------------------------------------------------------------------------------------------------

    async def sign_on(self) -> None:
        """Raises: HostRefused, OutcomeUnknown, DeviceFault; see the client."""
        async with self._one_sign_on:
            await self._sign_on()

    async def _sign_on(self) -> None:
        self._signed_on_at = None
        under = self._keys_under()
        if under is None:  # two custodians have not said that the pad holds the right one
            raise HostRefused(HOST, "key_in_doubt")
        trace = self.new_trace_number()
        fields = messages.sign_on(self.station, trace, self._rules.key_form)
        async with self.line.connected() as call:
            raw = await call.ask(self._framed(codec.encode("0800", fields, with_mac=False)))
        answer = self._decoded(raw, "0810", trace)
        code = answer.get("39")
        if codec.verdict(code) is not Verdict.DONE:
            raise HostRefused(HOST, code or "no_code")
        try:
            keys = codec.working_keys(bytes.fromhex(answer.get("62")))
        except codec.Unreadable as error:
            raise OutcomeUnknown(HOST, str(error)) from error
        await self._sealing.load(keys)
        batch = answer.get("60")[2:8]
        if len(batch) == 6:
            self._adopt(batch)
        self._signed_on_at, self._signed_on_under = trio.current_time(), under
        self._log("bank_signed_on", host=HOST)

    def _adopt(self, batch: str) -> None:
        try:
            self._traces.adopt(batch)
        except TraceCounterBroken as broken:
            raise HostRefused(HOST, "trace_counter") from broken

    async def insist_signed_on(self) -> None:
        """Raises: as ``sign_on``, but silence is a refusal here: the act that wanted it was surely not done."""
        async with self._one_sign_on:
            age_s = self.keys_age_s
            if age_s is not None and age_s <= self._rules.key_age_s_max:
                return
            try:
                await self._sign_on()
            except OutcomeUnknown as unknown:
                raise HostRefused(HOST, "sign_on_unanswered") from unknown

    @property
    def keys_age_s(self) -> float | None:
        """Of the working keys that this process had loaded; None: there are none, or they are void."""
        if self._signed_on_at is None or self._keys_under() != self._signed_on_under:
            return None
        return trio.current_time() - self._signed_on_at

    def keys_are_void(self) -> None:
        """Sign on again before whatever comes next."""
        self._signed_on_at = None

    # --- questions with a MAC -----------------------------------------------------------------------------------------

    async def sealed(self, mti: str, fields: Fields) -> bytes:
        """A frame whose MAC the pad has made. Raises DeviceFault."""
        covered = codec.encode(mti, fields, with_mac=True)
        return self._framed(covered + await self._sealing.mac(covered))

    async def ask(self, call: Call, framed: bytes, mti: str, trace: str, intent: BankIntent | None) -> Answer:
        """Journal ``intent``, send, and believe only an answer to this question whose MAC is right.

        Raises:
            OutcomeUnknown: in every other case.
        """
        if intent is not None:
            self._record.keep(intent)
        answer = self._decoded(await call.ask(framed), _ANSWERS[mti], trace)
        try:
            made = await self._sealing.mac(answer.covered)
        except DeviceFault as error:
            raise OutcomeUnknown(HOST, "the pad could not check the answer") from error
        if codec.same_mac(answer.mac, made):
            return answer
        self.keys_are_void()  # perhaps the bank has other keys: the reversal must not run into the same
        if intent is not None:
            self._record.keep(replace(intent, reason=BAD_MAC))
        raise OutcomeUnknown(HOST, "bad MAC")

    def _framed(self, message: bytes) -> bytes:
        return codec.frame(bytes.fromhex(self._rules.tpdu), bytes.fromhex(self._rules.header), message)

    def _decoded(self, message: bytes, mti: str, trace: str) -> Answer:
        try:
            answer = codec.decode(message)
        except codec.Unreadable as error:
            raise OutcomeUnknown(HOST, "answer not understood") from error
        if (answer.mti, answer.get("41"), answer.get("11")) != (mti, self._rules.terminal_id, trace):
            raise OutcomeUnknown(HOST, "answer to something else")
        return answer
