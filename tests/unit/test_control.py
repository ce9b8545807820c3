"""The control socket."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from kiosk.control import ControlSilent, ask_control, serve_control


async def test_socket_answers_what_it_knows(tmp_path: Path) -> None:
    """A known word gets its answer, an unknown one a list of the known."""

    async def health(asked: Mapping[str, Any]) -> list[str]:
        return ["ok"]

    path = tmp_path / "control"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, path, {"health": health})
        assert await ask_control(path, "health") == ["ok"]
        assert "health" in (await ask_control(path, "open the safe"))["error"]
        nursery.cancel_scope.cancel()


async def test_garbage_does_not_stop_the_socket(tmp_path: Path) -> None:
    """Noise, an over-long line and a hang-up leave the socket serving."""

    async def health(asked: Mapping[str, Any]) -> str:
        return "ok"

    path = tmp_path / "control"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, path, {"health": health})
        for noise in (b"\xff\xfe\n", b"[]\n", b"x" * 5000):
            async with await trio.open_unix_socket(str(path)) as stream:
                await stream.send_all(noise)
                assert b"error" in await stream.receive_some(4096)
        async with await trio.open_unix_socket(str(path)):
            pass
        assert await ask_control(path, "health") == "ok"
        nursery.cancel_scope.cancel()


async def test_nobody_there_is_named(tmp_path: Path) -> None:
    """No socket means no kiosk."""
    with pytest.raises(ControlSilent):
        await ask_control(tmp_path / "none", "health")
