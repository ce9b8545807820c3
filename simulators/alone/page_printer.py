"""``python -m simulators page-printer --port N --out DIR``: the A4 printer alone; its sheets become files."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

import trio

from simulators.alone.until_stopped import run_until_stopped
from simulators.devices.ipp import FAULTS, IppPrinter, Sheet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="0 = a free one")
    parser.add_argument("--out", type=Path, default=Path("out/sheets"), help="where the sheets go, as PDF")
    parser.epilog = f"a line on standard input puts a fault on or off: {', '.join(FAULTS)}"


def main(asked: argparse.Namespace) -> int:
    return run_until_stopped(partial(_serve, asked.port, asked.out))


async def _serve(port: int, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)

    def save(sheet: Sheet) -> None:
        path = out / f"{sheet.id:03d}.pdf"
        path.write_bytes(sheet.pdf)
        print(path, flush=True)

    with tempfile.TemporaryDirectory(prefix="page-printer-") as run_dir:
        printer = IppPrinter(Path(run_dir), port=port, on_sheet=save)
        async with trio.open_nursery() as nursery:
            await nursery.start(printer.run)
            print(f"ready {printer.uri}", flush=True)
            nursery.start_soon(_toggle_typed_faults, printer)


async def _toggle_typed_faults(printer: IppPrinter) -> None:
    async for line in trio.wrap_file(sys.stdin):
        for name in line.split():
            try:
                await printer.set_fault(name, name not in printer.faults)
            except LookupError:
                print(f"no such fault: {name}", file=sys.stderr)
