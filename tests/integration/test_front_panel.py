"""The front panel's page: what a browser may do, what another page may not."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from PIL import Image
from starlette.types import ASGIApp, Message

from simulators.front_panel.app import front_panel
from simulators.front_panel.front import FrontState, NoteFront, NotPossible, Piece, RackCard, Switch

CARDS = {"wang": ("王晓明 · 二代卡", "2.00"), "mute": ("<b>不响应的卡</b>", "1.0"), "li": ("李㐂𠮷 · 三代卡", "3.00")}
KEYS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", ".", "enter", "clear", "cancel", "f1", "f8")


class FrontOfABox:
    """A terminal's front without a terminal: implements TerminalFront in memory."""

    def __init__(self, vnc_port: int = 0) -> None:
        self.vnc_port = vnc_port
        self.inserted = ""
        self.pressed: list[tuple[str, str]] = []
        self.on: set[str] = set()
        self.papers = [Piece(1, "10:24:00", 1)]
        self.fed: list[tuple[int, str]] = []
        self.outlet = [10, 10]
        self._news = trio.Event()

    def state(self) -> FrontState:
        cards = tuple(RackCard(handle, *face, handle == self.inserted, "246810") for handle, face in CARDS.items())
        switches = tuple(
            Switch(name, name in self.on, name == "power_cut") for name in ("paper_out", "cover_open", "power_cut")
        )
        notes = NoteFront(not self.fed, tuple(self.outlet), len(self.fed), 0, ((10, 18),), ())
        return FrontState(
            "demo", "B", 1080, 1920, True, 4711, 0, cards, switches, tuple(self.papers), (), ("pin_pad",), ("请插卡",),
            notes,
        )  # fmt: skip

    async def changed(self, seen: FrontState | None) -> FrontState:
        while self.state() == seen:
            await self._news.wait()
        return self.state()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def insert(self, handle: str) -> None:
        if handle not in CARDS:
            raise LookupError(handle)
        if self.inserted:
            raise NotPossible("the slot is taken")
        self.inserted = handle
        self._tell()

    async def pull(self) -> None:
        if not self.inserted:
            raise NotPossible("no card")
        self.inserted = ""
        self._tell()

    def press(self, key: str, pad: str = "pin_pad") -> None:
        if key not in KEYS:
            raise LookupError(key)
        self.pressed.append((pad, key))

    async def fault(self, name: str, on: bool) -> None:
        if name not in ("paper_out", "cover_open", "power_cut"):
            raise LookupError(name)
        (self.on.add if on else self.on.discard)(name)
        self._tell()

    def paper_png(self, number: int) -> bytes:
        if number not in [piece.number for piece in self.papers]:
            raise LookupError(number)
        out = io.BytesIO()
        Image.new("L", (384, 500), 255).save(out, "PNG")
        return out.getvalue()

    def sheet_png(self, number: int, page: int) -> bytes:
        raise LookupError(number, page)

    def take_paper(self, number: int) -> None:
        self.paper_png(number)
        self.papers = [piece for piece in self.papers if piece.number != number]
        self._tell()

    def take_sheet(self, number: int) -> None:
        raise LookupError(number)

    def feed(self, yuan: int, kind: str = "good") -> None:
        if yuan not in (10, 100):
            raise LookupError(yuan)
        if self.fed:
            raise NotPossible("the slot is shut")
        self.fed.append((yuan, kind))
        self._tell()

    def take_notes(self) -> None:
        if not self.outlet:
            raise NotPossible("nothing lies there")
        self.outlet = []
        self._tell()

    async def screen_png(self) -> bytes:
        return self.paper_png(1)


async def _ask(app: ASGIApp, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """One HTTP exchange without a server: status and body."""
    sent: list[Message] = []
    payload = b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"host", b"127.0.0.1:8080"), *((k.encode(), v.encode()) for k, v in headers.items())],
    }  # fmt: skip

    said: list[Message] = [{"type": "http.request", "body": payload, "more_body": False}]

    async def receive() -> Message:
        if not said:
            await trio.sleep_forever()
        return said.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])


async def test_the_page_brings_everything_from_here() -> None:
    """Page, style and scripts are served, and none of them names an address elsewhere."""
    app = front_panel(FrontOfABox())
    for path in ("/", "/static/panel.css", "/static/panel.js", "/static/screen.js"):
        status, body = await _ask(app, "GET", path)
        assert status == 200
        assert b"https://" not in body
        assert b"http://" not in body
        assert b"innerHTML" not in body


async def test_a_person_inserts_presses_and_pulls() -> None:
    """Each act reaches the terminal's front, and the state tells of it."""
    front = FrontOfABox()
    app = front_panel(front)
    assert (await _ask(app, "POST", "/api/insert", {"card": "wang"}))[0] == 204
    assert (await _ask(app, "POST", "/api/press", {"key": "enter"}))[0] == 204
    assert (await _ask(app, "POST", "/api/press", {"key": "7", "pad": "card_reader"}))[0] == 204
    state = json.loads((await _ask(app, "GET", "/api/state"))[1])
    assert [card["handle"] for card in state["cards"] if card["inserted"]] == ["wang"]
    assert front.pressed == [("pin_pad", "enter"), ("card_reader", "7")]
    assert (await _ask(app, "POST", "/api/pull", {}))[0] == 204
    assert front.inserted == ""


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/insert", {"card": "nobody"}, 404),
        ("/api/insert", {"kard": "wang"}, 400),
        ("/api/insert", {"card": "x" * 2000}, 400),
        ("/api/pull", {}, 409),
        ("/api/press", {"key": "f9"}, 404),
        ("/api/press", [], 400),
        ("/api/fault", {"name": "earthquake", "on": True}, 404),
        ("/api/papers/take", {"number": 99}, 404),
        ("/api/feed", {"note": 3}, 404),
        ("/api/feed", {"note": "ten"}, 400),
    ],
)
async def test_what_cannot_be_done_is_said(path: str, body: Any, status: int) -> None:
    """Nonsense is 400, what is not there 404, what hands cannot do now 409, each with words."""
    answered, words = await _ask(front_panel(FrontOfABox()), "POST", path, body)
    assert answered == status
    assert json.loads(words)["why"]


async def test_paper_is_seen_and_torn_off() -> None:
    """A receipt has a picture until it is torn off."""
    app = front_panel(FrontOfABox())
    status, picture = await _ask(app, "GET", "/api/papers/1.png")
    assert status == 200
    assert picture.startswith(b"\x89PNG")
    assert (await _ask(app, "POST", "/api/papers/take", {"number": 1}))[0] == 204
    assert (await _ask(app, "GET", "/api/papers/1.png"))[0] == 404


async def test_notes_are_fed_and_taken() -> None:
    """A note goes in by value and kind, once while the slot is open; the outlet is emptied once."""
    front = FrontOfABox()
    app = front_panel(front)
    assert (await _ask(app, "POST", "/api/feed", {"note": 100, "kind": "fake"}))[0] == 204
    assert front.fed == [(100, "fake")]
    assert (await _ask(app, "POST", "/api/feed", {"note": 10}))[0] == 409
    state = json.loads((await _ask(app, "GET", "/api/state"))[1])
    assert state["notes"] == {
        "lit": False, "outlet": [10, 10], "box_notes": 1, "box_yuan": 0, "drums": [[10, 18]], "with_staff": [],
    }  # fmt: skip
    assert (await _ask(app, "POST", "/api/take_notes", {}))[0] == 204
    assert (await _ask(app, "POST", "/api/take_notes", {}))[0] == 409


async def test_another_page_cannot_act() -> None:
    """A foreign Origin or Host is refused before anything happens; our own Origin is not."""
    front = FrontOfABox()
    app = front_panel(front)
    body = {"card": "wang"}
    assert (await _ask(app, "POST", "/api/insert", body, origin="http://evil.example"))[0] == 403
    assert front.inserted == ""
    assert (await _ask(app, "POST", "/api/insert", body, origin="http://127.0.0.1:8080"))[0] == 204


async def test_events_tell_the_whole_state_at_each_change() -> None:
    """The first event comes at once, the next one when something changed."""
    front = FrontOfABox()
    bodies_in, bodies_out = trio.open_memory_channel[bytes](8)
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/api/events",
        "query_string": b"", "root_path": "", "scheme": "http", "headers": [(b"host", b"localhost")],
    }  # fmt: skip

    async def receive() -> Message:
        await trio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        if message.get("body"):
            await bodies_in.send(message["body"])

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(front_panel(front), scope, receive, send)
            first = json.loads((await bodies_out.receive()).removeprefix(b"data: "))
            await front.fault("paper_out", on=True)
            second = json.loads((await bodies_out.receive()).removeprefix(b"data: "))
            nursery.cancel_scope.cancel()
    assert [one["on"] for one in first["switches"]] == [False, False, False]
    assert [one["on"] for one in second["switches"]] == [True, False, False]


@asynccontextmanager
async def _viewer(app: ASGIApp, **headers: str) -> AsyncIterator[tuple[Any, Any]]:
    """A WebSocket on /screen: send to the first channel, receive from the second."""
    to_app, app_receives = trio.open_memory_channel[Message](8)
    app_sends, from_app = trio.open_memory_channel[Message](8)
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "path": "/screen", "query_string": b"", "root_path": "",
        "scheme": "ws", "subprotocols": ["binary"],
        "headers": [(b"host", b"127.0.0.1:1"), *((k.encode(), v.encode()) for k, v in headers.items())],
    }  # fmt: skip
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await to_app.send({"type": "websocket.connect"})
            nursery.start_soon(app, scope, app_receives.receive, app_sends.send)
            yield to_app, from_app
            nursery.cancel_scope.cancel()


async def test_the_screen_carries_bytes_both_ways_and_ends() -> None:
    """What the VNC server says reaches the viewer and the other way round; its end closes the viewer."""

    async def vnc(stream: trio.SocketStream) -> None:
        await stream.send_all(b"RFB 003.008\n")
        assert await stream.receive_some(100) == b"\x01"
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, vnc, 0)
        port = listeners[0].socket.getsockname()[1]
        async with _viewer(front_panel(FrontOfABox(port))) as (to_app, from_app):
            assert (await from_app.receive())["subprotocol"] == "binary"
            assert (await from_app.receive())["bytes"] == b"RFB 003.008\n"
            await to_app.send({"type": "websocket.receive", "bytes": b"\x01"})
            assert (await from_app.receive())["type"] == "websocket.close"
        nursery.cancel_scope.cancel()


async def test_no_screen_for_another_page() -> None:
    """A socket opened by a foreign page is closed before it sees anything."""
    async with _viewer(front_panel(FrontOfABox(1)), origin="http://evil.example") as (_, from_app):
        assert (await from_app.receive())["type"] == "websocket.close"
