"""A key that the fleet brings, given to the pad that unwraps it; its check value is compared and journaled.

The kiosk owns the pad, so the agent asks it over the control socket. Here the key stays wrapped (pins-and-keys 8).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kiosk.devices.supervisor import Supervisor
from kiosk.domain.health import Condition
from kiosk.ports import DeviceFault, Journal
from kiosk.ports.devices import ImportsKeys
from kiosk.settings.config import Settings
from kiosk.staff.typed_keys import master_in_doubt, write_load, write_loading
from provisioning.rules.keys import KeyAnswer, KeyBlock, agrees

PAD = "pin_pad"


def key_loader(
    supervisor: Supervisor, journal: Journal, settings: Settings
) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """What the control socket answers to ``load_key {block as JSON}``: a ``KeyAnswer``.

    Raises:
        ValueError: what was asked is no key block.
    """

    async def load(words: str) -> dict[str, Any]:
        try:
            block = msgspec.json.decode(words, type=KeyBlock)
        except msgspec.MsgspecError:
            raise ValueError("no key block") from None
        refusal, place = _refusal(supervisor, journal, settings, block), f"{block.master}/{block.slot}"
        if refusal:
            answer, doubt, before = refusal, None, None
        else:
            before = write_loading(journal, place, block.block_id)
            answer, doubt = await _given(supervisor.device(PAD), block)
        facts = {"domain": block.domain, "slot": str(block.slot), "check_value": answer.check_value}
        write_load(journal, place, doubt, before, key=block.block_id, result=answer.result, **facts)
        return dict(msgspec.to_builtins(answer))

    return load


def _refusal(supervisor: Supervisor, journal: Journal, settings: Settings, block: KeyBlock) -> KeyAnswer | None:
    """Why the pad is not asked at all: what it holds stays. None: it is asked."""
    if block.form == "master" and master_in_doubt(journal, settings, block.master):
        return KeyAnswer(result="refused", why="two custodians have not confirmed its master key")
    try:
        pad = supervisor.device(PAD)
    except DeviceFault as fault:
        return _failed(fault)
    if not isinstance(pad, ImportsKeys) or block.form not in pad.key_forms:
        return KeyAnswer(result="refused", why=f"this pad does not unwrap {block.form}")
    if block.pad and block.pad != getattr(pad, "serial", ""):
        return KeyAnswer(result="refused", why="for another pad")
    return None


async def _given(pad: ImportsKeys, block: KeyBlock) -> tuple[KeyAnswer, bool | None]:
    """And whether the key in that place is in doubt since; None: as before. A pad that said no kept what it had; one
    that went silent or away over the block may have taken it."""
    try:
        told = await pad.import_wrapped_key(block.form, block.master, block.slot, bytes.fromhex(block.block))
    except DeviceFault as fault:
        return _failed(fault), None if fault.health.condition is Condition.FAULT else True
    check_value = told.hex().upper()
    agreed = agrees(block.check_value, check_value)
    return KeyAnswer(result="done" if agreed else "differs", check_value=check_value), not agreed


def _failed(fault: DeviceFault) -> KeyAnswer:
    return KeyAnswer(result="failed", why=fault.health.reason or fault.health.condition.value)
