"""A process that stands for the kiosk in the leak tests: reader driver, pad driver and PIN entry, and nothing else.

``python -m tests.cards.leak_host MODE SOCKET PAD LIBRARY``: verifies, then changes the PIN of the card in the slot;
says each verdict on stdout, then stays so that its memory can be searched, until stdin closes. A line "plant FILE" on
stdin makes it read FILE and keep it: the leak that the search must find.
"""

import sys
import tempfile
from pathlib import Path

import trio

from drivers.card_reader.pcsc.driver import open_device
from drivers.pin_entry import make_pin_entry
from drivers.pin_pad.kmy.driver import open_device as open_pad
from kiosk.basics.log import JsonLog
from kiosk.domain.card import PinProgress, PinTemplate
from kiosk.domain.health import Health
from kiosk.ports import DeviceContext

TWELVE = PinTemplate(digits_min=12, digits_max=12, entry_s_max=30.0)


def _progress(now: PinProgress) -> None:
    print(f"stars {now.prompt.value} {now.digits}", flush=True)


def _report(health: Health) -> None:
    print(f"health {health.condition.value} {health.reason}", file=sys.stderr, flush=True)


async def _serve(mode: str, socket: str, pad_path: str, library: str) -> None:
    with tempfile.TemporaryDirectory() as run_dir:
        log = JsonLog()
        reader = open_device(
            {"socket": socket, "vendor_library": library}, DeviceContext("card_reader", _report, log, Path(run_dir))
        )
        pad = open_pad({"path": pad_path}, DeviceContext("pin_pad", _report, log, Path(run_dir)))
        async with trio.open_nursery() as nursery:
            await nursery.start(reader.run)
            if mode == "B":
                await nursery.start(pad.run)
            entry = make_pin_entry(mode, reader, pad, {}, log)
            await reader.wait_card()
            identity = await reader.read_identity()
            for verb in (entry.verify_chip_pin, entry.change_chip_pin):
                verdict = await verb(identity, TWELVE, _progress)
                print(f"verdict {verdict.result.value}", flush=True)
            await trio.to_thread.run_sync(_wait_for_the_search)
            nursery.cancel_scope.cancel()


def _wait_for_the_search() -> None:
    kept = []
    for line in sys.stdin:
        kept.append(Path(line.split()[1]).read_bytes())
        print("planted", flush=True)
    kept.clear()


if __name__ == "__main__":
    trio.run(_serve, *sys.argv[1:5])
