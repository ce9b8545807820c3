"""A reader with its own pad, as the LD/T 33 stand-in library reaches it: one call a connection on a UNIX socket.

Codes are those of the vendor drivers' public error table; a status word of the card is told as its negative.
"""

import os
from collections.abc import Callable
from pathlib import Path

import trio

from simulators.cards.card import VirtualCard
from simulators.cards.chip import SSSE
from simulators.cards.keys import external_cryptogram, internal_response
from simulators.cards.own_pad import OwnPad, PadRefused
from simulators.cards.staff import AID as STAFF_AID
from simulators.cards.staff import VirtualStaffCard
from simulators.worlds.world import Keys

NO_CARD, NO_POWER, NO_ANSWER, BAD_ARGUMENT, NOT_SUPPORTED = -2, -3, -4, -14, -13
NOT_GENUINE, WRONG_DATA, DIFFERENT, INITIAL, NEW_IS_INITIAL = -21, -22, -34, -35, -36
NO_PSAM = -2201
LINE_BYTES_MAX = 8192
_TERMINAL, _NO_TERMINAL, _DEVICE = "410100000001", "0" * 12, "4101" + "0" * 15 + "1"

AnyCard = VirtualCard | VirtualStaffCard


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class ReaderWithPad:
    """``card`` tells which card is in the slot now. ``keys`` None: a reader without PSAM (HSM steps only for 3.00)."""

    def __init__(
        self,
        path: Path,
        card: Callable[[], AnyCard | None],
        keys: Keys | None,
        pad: OwnPad | None = None,
        initial_pins: tuple[str, ...] = ("123456",),
    ) -> None:
        self.pad = pad or OwnPad()
        self._path = path
        self._card = card
        self._keys = keys
        self._initial_pins = initial_pins
        self._random = b""
        self._powered: AnyCard | None = None  # by ICC_Reader_PowerOn

    def card_out(self) -> None:
        """The card left its contacts: whatever comes next has no power."""
        self._powered = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve calls until cancelled."""
        self._path.unlink(missing_ok=True)
        with trio.socket.socket(trio.socket.AF_UNIX) as server:
            await server.bind(os.fspath(self._path))
            self._path.chmod(0o600)
            server.listen(4)
            try:
                listeners = [trio.SocketListener(server)]
                # trio reports the listeners, our callers wait for the start alone.
                await trio.serve_listeners(self._serve, listeners, task_status=task_status)  # type: ignore[arg-type]  # see above
            finally:
                self._path.unlink(missing_ok=True)

    async def _serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            line = b""
            while not line.endswith(b"\n") and len(line) < LINE_BYTES_MAX:
                chunk = await stream.receive_some(LINE_BYTES_MAX)
                if not chunk:
                    return
                line += chunk
            name, _, argument = line.decode("gb18030", "replace").strip().partition("\t")
            code, words = await self._call(name, argument)
            try:
                await stream.send_all(f"{code}\t{words}\n".encode("gb18030"))
            except trio.BrokenResourceError:
                return  # the caller is gone; what the card did, it did

    async def _call(self, name: str, argument: str) -> tuple[int, str]:
        try:
            if name.startswith("ICC_Reader_"):
                return 0, self._contact(name, argument)
            if name == "iReadCardBas":
                return 0, self._read_basic()
            if name == "iReadCardBas_HSM_Step1":
                return 0, self._step1()
            if name == "iReadCardBas_HSM_Step2":
                return 0, self._step2(argument)
            if name == "iVerifyPIN":
                return await self._verify()
            if name == "iChangePIN":
                return await self._change()
        except (_Refused, PadRefused) as refused:
            return refused.code, ""
        return NOT_SUPPORTED, ""

    # --- commands passed to the card --------------------------------------------------------------------------------

    def _contact(self, name: str, command: str) -> str:
        """The functions of the terminal specification's appendix B: hexadecimal digits in and out."""
        card = self._present()
        if name == "ICC_Reader_PowerOn":
            card.reset()
            self._powered = card
            return card.atr.hex().upper()
        if self._powered is not card:
            raise _Refused(NO_POWER)
        if name == "ICC_Reader_PowerOff":
            card.power_off()
            self._powered = None
        if name == "ICC_Reader_Application":
            return card.transmit(bytes.fromhex(command)).hex().upper()
        return ""

    # --- the card ---------------------------------------------------------------------------------------------------

    def _present(self) -> AnyCard:
        card = self._card()
        if card is None:
            self._powered = None
            raise _Refused(NO_CARD)
        if card.mute:
            raise _Refused(NO_ANSWER)
        return card

    def _exchange(self, card: AnyCard, apdu: str) -> bytes:
        """Data of the answer; the reader's own T=0 layer.

        Raises:
            _Refused: with the status word.
        """
        answer = card.transmit(bytes.fromhex(apdu))
        if answer[-2] == 0x6C:
            answer = card.transmit(bytes.fromhex(apdu)[:4] + answer[-1:])
        if answer[-2] == 0x61:
            answer = card.transmit(bytes((0, 0xC0, 0, 0, answer[-1])))
        if answer[-2:] != b"\x90\x00":
            raise _Refused(-int.from_bytes(answer[-2:], "big"))
        return answer[:-2]

    def _item(self, card: AnyCard, tag: int) -> bytes:
        record = self._exchange(card, f"00B2{tag:02X}0000")
        return record[2 : 2 + record[1]]

    def _open_application(self, card: AnyCard) -> None:
        self._exchange(card, f"00A404000F{SSSE.hex()}")

    def _open_for_pin(self, card: AnyCard) -> None:
        """A resident's application, else that of a staff card (INVENTED: a maker's library would have to know it)."""
        try:
            self._open_application(card)
        except _Refused:
            self._exchange(card, f"00A4040008{STAFF_AID.hex()}")

    def _issuing(self, card: AnyCard) -> list[bytes]:
        self._exchange(card, "00A4020002EF05")
        return [self._item(card, tag) for tag in (0x01, 0x03, 0x05, 0x06, 0x07)]

    def _read_basic(self) -> str:
        card = self._present()
        self._open_application(card)
        issuing = self._issuing(card)
        if self._keys:
            self._check_genuine(card, self._keys)
        if issuing[1].startswith(b"3"):
            if not self._keys:
                raise _Refused(NO_PSAM)
            random = self._exchange(card, "0084000008")
            cryptogram = external_cryptogram(self._keys, card.city, card.atr[-8:], random)
            self._exchange(card, f"0082000710{cryptogram.hex()}{random.hex()}")
        return self._fields(card, issuing)

    def _check_genuine(self, card: AnyCard, keys: Keys) -> None:
        challenge = os.urandom(16)
        answer = self._exchange(card, f"0088000110{challenge.hex()}10")
        if answer != internal_response(keys, card.city, card.atr[-8:], challenge):
            raise _Refused(NOT_GENUINE)

    def _fields(self, card: AnyCard, issuing: list[bytes]) -> str:
        code, spec, issued, expires, number = issuing
        self._exchange(card, "00A4020002EF06")
        social = self._item(card, 0x08)
        name = self._item(card, 0x09).rstrip(b"\x00") + self._item(card, 0x4E)
        return "".join(
            f"{field}|"
            for field in (
                code[:3].hex(),
                _text(social),
                _text(number),
                code.hex().upper(),
                _text(name),
                card.atr[4:17].hex().upper(),
                _text(spec),
                issued.hex(),
                expires.hex(),
                _TERMINAL if self._keys else _NO_TERMINAL,
                _DEVICE,
            )
        )

    def _step1(self) -> str:
        card = self._present()
        self._open_application(card)
        code, spec, *_rest = self._issuing(card)
        if not spec.startswith(b"3"):
            raise _Refused(-2204)
        self._random = self._exchange(card, "0084000008")
        random = self._random.hex().upper()
        fields = (code[:3].hex(), card.atr.hex().upper(), "03", code.hex().upper(), random, "", "", "", _NO_TERMINAL)
        return "".join(f"{field}|" for field in fields)

    def _step2(self, keys: str) -> str:
        card = self._present()
        cryptogram = keys.partition("|")[0]
        if len(cryptogram) != 16:
            raise _Refused(BAD_ARGUMENT)
        self._exchange(card, f"0082000710{cryptogram}{self._random.hex()}")
        issuing = self._issuing(card)
        return self._fields(card, issuing)

    # --- the PIN ----------------------------------------------------------------------------------------------------

    async def _verify(self) -> tuple[int, str]:
        self._open_for_pin(self._present())
        pin = await self.pad.enter("current")
        packed = _bcd(pin)
        self._exchange(self._present(), f"00200000{len(packed) // 2:02X}{packed}")
        return (INITIAL, "") if pin in self._initial_pins else (0, "")

    async def _change(self) -> tuple[int, str]:
        self._open_application(self._present())
        old, new = await self.pad.enter("current"), await self.pad.enter("new")
        if new in self._initial_pins:
            return NEW_IS_INITIAL, ""
        if new != await self.pad.enter("repeat"):
            return DIFFERENT, ""
        body = f"{_bcd(old)}FF{_bcd(new)}"
        self._exchange(self._present(), f"805E0100{len(body) // 2:02X}{body}")
        return 0, ""


def _text(value: bytes) -> str:
    return value.split(b"\x00", 1)[0].decode("gb18030", "replace").strip()


def _bcd(digits: str) -> str:
    return digits + "F" * (len(digits) % 2)
