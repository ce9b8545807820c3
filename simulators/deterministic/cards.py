"""Card slots in memory: the real drivers and card applications over the real chips; no pcscd and no threads."""

from collections.abc import Callable
from typing import Any, TypeVar

import trio

from drivers.transport.pcsc import CardMute, PcscSettings, ReaderMissing
from drivers.transport.scard import CardJob
from kiosk.ports import CardGone
from simulators.deterministic.fuse import Fuse

APDU_S = 0.02
TURN_S = 0.1  # so much passes at once: whoever pulls the card is found out at the next turn
ANSWER_S_MAX = 5.0
# INS of commands that a chip remembers: VERIFY, CHANGE PIN, GENERATE AC, PUT DATA, APPLICATION BLOCK and UNBLOCK.
REMEMBERED = frozenset({0x20, 0x24, 0x5E, 0xAE, 0xDA, 0x16, 0x18, 0x1E, 0x84})
Answer = TypeVar("Answer")


class Slot:
    """Where hands put a card. It outlives the kiosk, like the card in it."""

    def __init__(self, reader: str, chip: Any = None) -> None:
        self.reader = reader
        self.chip = chip
        self.insertions = 1 if chip else 0
        self.listed = True  # whether the reader itself is there
        self.changed = trio.Event()

    def insert(self, chip: Any) -> None:
        assert self.chip is None, "there is a card in the slot"
        self.chip = chip
        self.insertions += 1
        self._tell()

    def pull(self) -> None:
        if self.chip is not None:
            self.chip.power_off()
            self.chip = None
            self._tell()

    def power_cut(self) -> None:
        if self.chip is not None:
            self.chip.power_off()
        self._tell()

    def list_reader(self, *, there: bool) -> None:
        """A reader that goes (its cable, its daemon) and comes back; the card in it stays where it is."""
        self.listed = there
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = trio.Event()


class SlotLine:
    """Implements ``drivers.transport.pcsc.CardLine`` over a slot; one life of the driver."""

    def __init__(self, slot: Slot, fuse: Fuse, settings: PcscSettings, on_link: Callable[[bool], None]) -> None:
        self._slot, self._fuse, self._on_link = slot, fuse, on_link
        self._ended = 0  # the insertion that failed or went mute: nothing is continued on it
        self._turn = trio.Lock()
        self._passed_s = 0.0  # by commands since time last passed

    @property
    def card_present(self) -> bool:
        return self._slot.chip is not None and self._slot.listed

    @property
    def insertion(self) -> int:
        alive = self.card_present and self._ended != self._slot.insertions
        return self._slot.insertions if alive else 0

    @property
    def reader(self) -> str:
        return self._slot.reader if self._slot.listed else ""

    async def wait_card(self) -> int:
        while not self.insertion:
            await self._slot.changed.wait()
        return self.insertion

    async def wait_no_card(self) -> None:
        while self.card_present:
            await self._slot.changed.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        if not self._slot.listed:
            raise ReaderMissing
        task_status.started()
        up = True
        while True:
            await self._slot.changed.wait()
            if up != self._slot.listed:
                up = self._slot.listed
                self._on_link(up)

    async def job(self, insertion: int, make: Callable[[bytes], CardJob[Answer]]) -> Answer:
        """As ``PcscLine.job``: a pulled card is found out at the next command."""
        async with self._turn:
            self._must_be(insertion)
            job = make(self._slot.chip.atr)
            try:
                apdu = next(job)
                while True:
                    apdu = job.send(await self._transmitted(insertion, apdu))
            except StopIteration as done:
                answer: Answer = done.value
                return answer
            finally:
                job.close()

    async def _transmitted(self, insertion: int, apdu: bytes) -> bytes:
        self._passed_s += APDU_S
        if self._passed_s >= TURN_S:
            await trio.sleep(self._passed_s)
            self._passed_s = 0.0
        self._must_be(insertion)
        if self._slot.chip.mute:
            await trio.sleep(ANSWER_S_MAX)
            self._ended = insertion
            raise CardMute
        if apdu[1] in REMEMBERED:
            self._fuse.burn(f"card {apdu[:4].hex()}")
        answer: bytes = self._slot.chip.transmit(apdu)
        return answer

    def _must_be(self, insertion: int) -> None:
        if not insertion or self.insertion != insertion:
            raise CardGone

    async def let_go(self) -> None:
        async with self._turn:
            return

    def end_insertion(self) -> None:
        self._ended = self._slot.insertions
