"""A key that the fleet brings, given to the pad that unwraps it; its check value is compared and journaled.

The kiosk owns the pad, so the agent asks it over the control socket. Here the key stays wrapped (pins-and-keys 8).
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kiosk.config import Settings
from kiosk.ports import DeviceFault, Journal
from kiosk.ports.devices import ImportsKeys
from kiosk.supervisor import Supervisor
from kiosk.typed_keys import master_in_doubt
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
        if block.form == "master" and master_in_doubt(journal, settings, block.master):
            answer = KeyAnswer(result="refused", why="two custodians have not confirmed its master key")
        else:
            answer = await _loaded(supervisor, block)
        facts = {"domain": block.domain, "slot": str(block.slot), "check_value": answer.check_value}
        journal.record("key_load_answered", "", key=block.block_id, result=answer.result, **facts)
        return dict(msgspec.to_builtins(answer))

    return load


async def _loaded(supervisor: Supervisor, block: KeyBlock) -> KeyAnswer:
    try:
        pad = supervisor.device(PAD)
        if not isinstance(pad, ImportsKeys) or block.form not in pad.key_forms:
            return KeyAnswer(result="refused", why=f"this pad does not unwrap {block.form}")
        serial = getattr(pad, "serial", "")
        if block.pad and block.pad != serial:
            return KeyAnswer(result="refused", why="for another pad")
        told = await pad.import_wrapped_key(block.form, block.master, block.slot, bytes.fromhex(block.block))
    except DeviceFault as fault:
        return KeyAnswer(result="failed", why=fault.health.reason or fault.health.condition.value)
    check_value = told.hex().upper()
    return KeyAnswer(result="done" if agrees(block.check_value, check_value) else "differs", check_value=check_value)
