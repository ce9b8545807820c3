"""Answers polls from memory, before any route is looked for. ``docs/fleet.md``, "The poll"."""

import re
from datetime import UTC, datetime

import anyio
import msgspec
import peewee
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.database import LOST
from provisioning.fleet.faces import TERMINALS
from provisioning.fleet.identity import VERIFIED, terminal_of
from provisioning.fleet.live.live import Busy, Live
from provisioning.fleet.live.register import City, LiveTerminal
from provisioning.fleet.web import Fleet, no_database, problem
from provisioning.rules.poll import PollAnswer, PollQuestion
from provisioning.rules.presence import NOBODY, Life

PATH = re.compile(r"/([a-z0-9][a-z0-9-]{1,31})/terminal/v1/([A-Za-z0-9]{4,16})/poll")
QUESTION_BYTES_MAX = 65_536

_question = msgspec.json.Decoder(PollQuestion)
_encoder = msgspec.json.Encoder()

NOWHERE = City()
Known = tuple[LiveTerminal, int]  # and from when on its certificate is to be renewed (ms)


class _TooLong(Exception):
    """Nobody's question is that long."""


class PollDesk:
    """Stands before the application and lets everything else through."""

    def __init__(self, app: ASGIApp, fleet: Fleet, live: Live) -> None:
        self._app, self._fleet, self._live = app, fleet, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        shown = dict(scope["headers"]) if asked else {}
        if asked is None or shown.get(b"x-face") != TERMINALS.encode():
            await self._app(scope, receive, send)
            return
        try:
            known = self._known(shown, asked[1], asked[2]) or await self._look_up(scope, receive, asked[1], asked[2])
            if not self._live.may_enter(known[0].tenant, self._fleet.now_ms()):
                raise Busy
            answer = await self._answered(known, receive, shown.get(b"x-real-ip", b"").decode("latin-1"))
        except (Busy, NotFound, Refused, _TooLong, msgspec.MsgspecError, *LOST) as error:
            await self._turned_away(error)(scope, receive, send)
            return
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    def _known(self, shown: dict[bytes, bytes], city: str, terminal_id: str) -> Known | None:
        """From memory; None for everybody who is not beyond doubt."""
        if shown.get(b"x-client-verify") != VERIFIED.encode():
            return None
        found = self._live.register.by_certificate.get(shown.get(b"x-client-serial", b"").decode("latin-1"))
        if found is None or not found[0].active or (found[0].tenant, found[0].terminal_id) != (city, terminal_id):
            return None
        return found

    async def _look_up(self, scope: Scope, receive: Receive, city: str, terminal_id: str) -> Known:
        """Ask the database: its certificate may be younger than our memory. Puts on record who is turned away."""
        request = Request({**scope, "path_params": {"tenant": city, "terminal_id": terminal_id}}, receive)
        with self._live.in_hand():
            caller = await anyio.to_thread.run_sync(terminal_of, request)
            await anyio.to_thread.run_sync(self._live.reread, caller.key, self._fleet.now_ms())
        found = self._live.register.by_certificate.get(caller.certificate)
        if found is None:
            raise NotFound
        return found

    async def _answered(self, known: Known, receive: Receive, address: str) -> bytes:
        terminal, renew_ms = known
        question = _question.decode(await _body(receive))
        at_ms = self._fleet.now_ms()
        life = Life(question.boot, question.run)
        if life != (terminal.waiting.life if terminal.waiting else NOBODY):
            with self._live.in_hand():
                await anyio.to_thread.run_sync(self._hear_life, terminal, life, address[:64], at_ms)
        if question.answers:
            with self._live.in_hand():
                await anyio.to_thread.run_sync(self._take_answers, terminal, question, at_ms)
            terminal = self._live.register.by_id[terminal.terminal_id]
        self._live.gathered.hear(terminal.key, terminal.tenant, at_ms, question)
        return _encoder.encode(self._wanted(terminal, question, renew_ms, at_ms))

    def _hear_life(self, terminal: LiveTerminal, life: Life, address: str, at_ms: int) -> None:
        self._live.errands.hear_life(terminal.key, life, address, at_ms)
        self._live.reread(terminal.key, at_ms)

    def _take_answers(self, terminal: LiveTerminal, question: PollQuestion, at_ms: int) -> None:
        actor = Actor(terminal.tenant, f"terminal:{terminal.terminal_id}")
        self._live.errands.take_answers(actor, terminal.key, question.answers, at_ms)
        self._live.reread(terminal.key, at_ms)  # what was answered is not told again

    def _wanted(self, terminal: LiveTerminal, question: PollQuestion, renew_ms: int, at_ms: int) -> PollAnswer:
        polls, waiting = self._fleet.settings.polls, terminal.waiting
        city = self._live.register.cities.get(terminal.tenant, NOWHERE)
        commands = [document for until_ms, document in waiting.commands if until_ms > at_ms] if waiting else []
        key_blocks = list(waiting.key_blocks) if waiting else []
        return PollAnswer(
            time=datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            sleep_s=min(terminal.sleep_s, polls.hurried_sleep_s) if commands or key_blocks else terminal.sleep_s,
            epoch=city.epoch,
            memo=city.memo,
            trust=city.trust,
            want_memo=city.forgot and question.memo > city.memo,
            desired_version=terminal.desired_version,
            action=terminal.action,
            commands=commands,
            key_blocks=key_blocks,
            renew_certificate=renew_ms <= at_ms or bool(waiting and waiting.renew_certificate),
        )

    def _turned_away(self, error: Exception) -> Response:
        match error:
            case Busy():
                later = {"Retry-After": f"{self._live.room.retry_after_s():.0f}"}
                return problem(503, "later", "Too many ask at once. Ask again later.", later)
            case peewee.PeeweeException():  # one of LOST: a terminal asks again, and so spreads what waits
                return no_database(error, self._live.room.retry_after_s())
            case NotFound():
                return problem(404, "not_found", "There is no such thing here.")
            case Refused():
                return problem(409, error.code, str(error))
            case _TooLong():
                return problem(413, "too_long", f"A question has at most {QUESTION_BYTES_MAX} bytes.")
            case _:
                return problem(400, "not_a_question", f"This is no question: {error}"[:300])


async def _body(receive: Receive) -> bytes:
    parts, length, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _TooLong
        part, more = message.get("body", b""), message.get("more_body", False)
        length += len(part)
        if length > QUESTION_BYTES_MAX:
            raise _TooLong
        parts.append(part)
    return b"".join(parts)
