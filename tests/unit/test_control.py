"""The control socket."""

from pathlib import Path

import pytest
import trio

from kiosk.basics.control import ControlSilent, ask_control, serve_control


async def test_socket_answers_what_it_knows(tmp_path: Path) -> None:
    """A known word gets its answer, an unknown one a list of the known."""

    async def health() -> list[str]:
        return ["ok"]

    path = tmp_path / "control"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, path, {"health": health})
        assert await ask_control(path, "health") == ["ok"]
        assert "health" in (await ask_control(path, "open the safe"))["error"]
        nursery.cancel_scope.cancel()


async def test_what_is_told_is_taken_at_once(tmp_path: Path) -> None:
    """A word with something behind it reaches who takes it; what they do not understand is an error like any other."""
    path, heard = tmp_path / "control", []

    async def health() -> str:
        return "ok"

    def take(about: str) -> str:
        heard.append(int(about))
        return "noted"

    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, path, {"health": health}, {"case_viewed": take})
        assert await ask_control(path, "case_viewed 451207") == "noted"
        assert "error" in await ask_control(path, "case_viewed the safe")
        assert await ask_control(path, "health") == "ok"
        nursery.cancel_scope.cancel()
    assert heard == [451207]


async def test_garbage_does_not_stop_the_socket(tmp_path: Path) -> None:
    """Noise, an over-long line, brackets without end and a hang-up leave the socket serving."""

    async def health() -> str:
        return "ok"

    path = tmp_path / "control"
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_control, path, {"health": health})
        for noise in (b"\xff\xfe\n", b"[]\n", b"x" * 5000, b"[" * 4096):
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
