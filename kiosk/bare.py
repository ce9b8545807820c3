"""Composition root of a terminal that serves nobody yet: the fleet does not know it, or its city has not said enough.

The glass shows what an installer's telephone wants to see. Whoever enrols is the agent, a process of its own: it tells
how far it is, and ends this one when there are settings to start anew with.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import trio

from kiosk.basics.control import ControlSilent, agent_path, ask_control, kiosk_path, serve_control
from kiosk.basics.log import JsonLog
from kiosk.basics.signals import end_on_signal
from kiosk.basics.watchdog import feed_watchdog, tell_of_first_page
from kiosk.domain.text import Grouped, Text, say
from kiosk.ports import Code, Plain, Question, Tone, Waiting
from kiosk.settings.config import Settings
from screens.awake import stay_lit
from screens.outputs import keep_outputs, open_glass

LOOK_EVERY_S = 1.0
NOT_ENROLLED = "not_enrolled"
SHORT_DIGITS = 20  # of the fingerprint, as the console shows it

# What the agent says -> the sentence below the heading: what to do now, or who helps.
WORDS: dict[str, Text] = {
    "waiting": say("Installer: scan the code and confirm this terminal, or insert the stick."),
    "no_answer": say("The center does not answer. Check the network cable, or insert the stick."),
    "trying_network": say("The network of the stick is being tried. This takes up to three minutes."),
    "refused": say("The center does not accept this terminal. Call the person who ordered it."),
    "claim_refused": say("The stick is not for this terminal, or is too old. Scan the code, or ask for a new stick."),
    "no_key": say("The security module of this terminal does not answer. Call service."),
}
HEADING = say("This terminal is not set up yet")


def is_bare(settings: Settings) -> bool:
    """Whether a fleet is to say which hosts there are, and none has yet."""
    return bool(settings.agent.home) and not settings.hosts


def page(standing: dict[str, Any]) -> Question:
    """``standing``: the agent's word; empty where it does not answer yet."""
    said = str(standing.get("said", ""))
    if said == "known":
        return Question(
            "enrolment_done",
            say("The center knows this terminal"),
            (say("Its settings are on the way. It starts by itself."),),
            Waiting(say("Waiting for the settings")),
            tone=Tone.DONE,
        )
    if not standing.get("qr"):
        return Question("enrolment_starts", HEADING, body=Waiting(say("Getting ready")))
    words = (
        say("Serial number {serial}", serial=str(standing["serial"])),
        say("Key {key}", key=Grouped(str(standing["fingerprint"])[:SHORT_DIGITS])),
    )
    tone = Tone.CAUTION if said in ("refused", "claim_refused", "no_key") else Tone.NEUTRAL
    body = Code(str(standing["qr"]), words) if said != "no_key" else Plain()
    return Question("enrolment", HEADING, (WORDS.get(said, WORDS["waiting"]),), body, tone=tone)


def nowhere(settings: Settings) -> Settings:
    """The header names no city and no hall before somebody said which."""
    city = msgspec.structs.replace(settings.city, name_zh="社会保障卡自助终端", name_en="Social security card terminal")
    terminal = msgspec.structs.replace(settings.terminal, place_zh="", place_en="")
    return msgspec.structs.replace(settings, city=city, terminal=terminal)


async def run_bare(settings: Settings) -> None:
    """Until SIGTERM, SIGINT, or until the agent says that there is something to start anew with.

    Raises:
        OSError: the glass or the run folder cannot be used.
    """
    log = JsonLog()
    async with trio.open_nursery() as nursery:  # the window takes the glass as it finds it
        nursery.start_soon(open_glass, settings.panel.turned, log)
        await trio.lowlevel.checkpoint()  # the server is asked, and answers meanwhile
        from screens.app import KivyScreen  # no other command wants a screen, and this one not at once
    run_dir = Path(settings.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (run_dir / "ready").unlink(missing_ok=True)  # of a process that was killed
    screen = KivyScreen(nowhere(settings))
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(screen.run)
            nursery.start_soon(end_on_signal, nursery.cancel_scope)
            nursery.start_soon(stay_lit)
            nursery.start_soon(keep_outputs, settings.panel.turned, log)
            life = os.urandom(8).hex()
            answers = {
                "health": partial(_health, settings, life),
                "end": partial(_end, nursery.cancel_scope.cancel),
            }
            told = {"pause": lambda seconds: "paused"}
            await nursery.start(serve_control, kiosk_path(settings.run_dir), answers, told)
            nursery.start_soon(feed_watchdog, run_dir / "ready")
            nursery.start_soon(tell_of_first_page, screen.first_page, log)
            await _show(screen.show, settings.run_dir)
    finally:
        (run_dir / "ready").unlink(missing_ok=True)


async def _show(show: Callable[[Question], None], run_dir: str) -> None:
    shown = None
    while True:
        try:
            told = await ask_control(agent_path(run_dir), "standing")
        except ControlSilent:
            told = {}
        question = page(told if isinstance(told, dict) else {})
        if question != shown:
            show(question)
            shown = question
        await trio.sleep(LOOK_EVERY_S)


async def _health(settings: Settings, life: str) -> dict[str, Any]:
    """As of a kiosk that serves nobody, for the agent's look before and after new settings."""
    from importlib.metadata import version  # brings the whole of email with it: not before the first page

    return {
        "life": life,
        "settings": settings.sum,
        "serving": False,
        "shut": NOT_ENROLLED,
        "somebody": False,
        "under_way": 0,
        "slots": {},
        "cash": {},
        "use": {},
        "versions": {"kiosk": version("yikatong")},
    }


async def _end(end: Callable[[], None]) -> str:
    """It ends a moment later: the answer goes out first."""
    trio.lowlevel.current_trio_token().run_sync_soon(end)
    return "ending"
