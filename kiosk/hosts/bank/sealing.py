"""Working keys and MACs, all inside the pad: this process only ever sees cryptograms and check values."""

from collections.abc import Callable

from kiosk.domain.health import Condition, Health
from kiosk.hosts.bank import codec
from kiosk.hosts.bank.codec import WorkingKey, WorkingKeys
from kiosk.ports import DeviceFault, HostRefused, PinPad
from kiosk.settings.bank_rules import BankRules

HOST = "bank"
MESSAGE_BYTES_MAX = 247  # of ``PinPad.mac``


class Sealing:
    def __init__(self, rules: BankRules, pad: Callable[[], PinPad]) -> None:
        self._rules = rules
        self._pad = pad

    async def load(self, keys: WorkingKeys) -> None:
        """Raises HostRefused: "check_value", "pad_decrypts"; DeviceFault."""
        await self._load_one(self._rules.pin_slot, keys.pin)
        await self._load_one(self._rules.mac_slot, keys.mac)
        if await self._pad().answers_forbidden_decrypt():
            raise HostRefused(HOST, "pad_decrypts")  # it would give back a PIN: no bank PIN here (pins-and-keys 4)

    async def _load_one(self, slot: int, key: WorkingKey) -> None:
        told = await self._pad().load_work_key(self._rules.pad_master, slot, key.cryptogram)
        if told != key.check_value:
            raise HostRefused(HOST, "check_value")

    async def mac(self, covered: bytes) -> bytes:
        """Eight bytes for field 64.

        Raises:
            DeviceFault: the pad is gone, or ("mac_too_long") is to make a MAC that it cannot fold over more than it
                takes: a bank that wants X9.19 with field 55 needs another pad.
        """
        message = codec.fold(covered) if self._rules.mac_form == "unionpay_ecb" else covered
        if len(message) > MESSAGE_BYTES_MAX:
            raise DeviceFault("pin_pad", Health(Condition.FAULT, "mac_too_long"))
        return await self._pad().mac(self._rules.pad_master, self._rules.mac_slot, message)
