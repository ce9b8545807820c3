"""A pad at whose own keys two custodians type the parts of a key: ``ports.devices.TakesComponents``.

No part is ever on the line (commands 23 and 24 carry only where the key goes), and nothing here could read one: the
terminal sees stars, how many parts are in, and the check value. What of it rests on no public text is listed in
docs/devices/pin_pad_kmy.md as INVENTED.
"""

import trio

from drivers.pin_pad.kmy import codec
from drivers.pin_pad.kmy.codec import Key, Parameter, Reply
from drivers.pin_pad.kmy.component_entry import ComponentEntry
from drivers.pin_pad.kmy.conversation import Conversation, PadRefused, PadSilent, PadStopped
from drivers.pin_pad.kmy.pad import TIDY_S_MAX, KmyPad
from drivers.transport.line import LineLost
from kiosk.basics.race import first_of
from kiosk.domain.health import Condition, Health
from kiosk.domain.typed_keys import PARTS, KeyPlace, PartAnswer, PartEnd
from kiosk.ports.devices import Progress

TIMED_OUT = 0x80  # of a reply's status


class ComponentPad(KmyPad):
    """See the module."""

    @property
    def component_digits(self) -> int:
        return self._settings.component_digits

    @property
    def component_letters(self) -> str:
        return self._settings.component_letters

    async def type_component(self, place: KeyPlace, number: int, progress: Progress) -> PartAnswer:
        assert number in range(1, PARTS + 1), "asked before"
        async with self._turn() as talk:
            kept = False
            try:
                answer = await self._one_part(talk, place, number, progress)
                kept = answer.end in (PartEnd.IN, PartEnd.NOT_TAKEN, PartEnd.CANCELLED)
                return answer
            finally:
                # Cancelled, cut, or unlike what was asked: no half of a key is left waiting in the pad.
                if not kept:
                    await self._forget(talk)
                await self._leave_entry(talk)

    async def forget_components(self) -> None:
        async with self._turn() as talk:
            await talk.ask(codec.reset())
            await self._leave_entry(talk)

    async def _one_part(self, talk: Conversation, place: KeyPlace, number: int, progress: Progress) -> PartAnswer:
        self._mode = None
        if number == 1:
            await talk.ask(codec.reset())  # what an earlier attempt left in the pad is none of ours
        await talk.ask(codec.parameter(Parameter.KEY_LOADING, codec.TRIPLE_DES))
        self._entry = entry = ComponentEntry(self._settings.component_digits, progress)
        try:
            reply = await self._typed(talk, place, entry)
        except PadRefused as refused:
            if refused.status not in codec.REFUSALS or refused.status == codec.UNKNOWN_COMMAND:
                raise
            return PartAnswer(_why_not(refused.status, entry))
        if reply.data[0] != number:
            return PartAnswer(PartEnd.FORGOTTEN if reply.data[0] < number else PartEnd.MIXED)
        return PartAnswer(PartEnd.IN, await self._check_value(talk, place, reply) if number == PARTS else b"")

    async def _typed(self, talk: Conversation, place: KeyPlace, entry: ComponentEntry) -> Reply:
        command = codec.type_component(place.master, place.slot, self._settings.component_s_max)
        index, reply = await first_of(lambda: talk.ask(command), entry.stop.wait)
        if index == 0:
            assert isinstance(reply, Reply)
            return reply
        if entry.told_clear:
            raise self._fail(Health(Condition.FAULT, "plain_mode_stuck"))
        raise self._gone()

    async def _check_value(self, talk: Conversation, place: KeyPlace, reply: Reply) -> bytes:
        """Of a working key in verify mode the reply carries it; a master key enciphers eight zeros itself."""
        if place.slot is not None:
            return reply.data[1:5]
        await talk.ask(codec.parameter(Parameter.WORKING, codec.TRIPLE_DES_MASTER))
        await talk.ask(codec.activate(place.master, 0))
        return (await talk.ask(codec.encrypt_zeros())).data[: codec.CHECK_VALUE_BYTES]

    async def _forget(self, talk: Conversation) -> None:
        """The pad is reset, which keeps its keys. One that cannot be reached is reset by the next start of ``run``."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + TIDY_S_MAX):
            try:
                await talk.ask(codec.reset())
            except PadStopped:
                return
            except (LineLost, PadSilent, PadRefused) as failure:
                self._translated(failure)


def _why_not(status: int, entry: ComponentEntry) -> PartEnd:
    if status == TIMED_OUT or entry.ended_by == Key.TIMED_OUT:
        return PartEnd.TIMED_OUT
    return PartEnd.CANCELLED if entry.ended_by == Key.CANCEL else PartEnd.NOT_TAKEN
