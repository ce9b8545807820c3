"""Hands sentences to a short-lived player, so that no synthesis ever holds up the screen.

Sentences go through the player's standard input: an argument list can be read by every process of the machine.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from screens.speech.player import TONE_PIECE
from screens.speech.script import Utterance

RECORD_BYTES_MAX = 1024 * 1024  # it lies on tmpfs: begun again when it is full
STOP_S = 1.0  # a player that does not end by itself in this time is killed


@dataclass(frozen=True)
class Sound:
    """ALSA names of the two ways out; empty is the machine's own choice."""

    loudspeaker: str = ""
    headset: str = ""


class Speaker(Protocol):
    """Where sentences go. A new script silences the old one."""

    def speak(self, question: str, said: Sequence[Utterance], language: str, *, headset: bool = False) -> None:
        """``headset``: somebody listens there; else the loudspeaker speaks, and personal sentences are a mistake."""
        ...

    def stop(self) -> None: ...


class VoiceSpeaker:
    """Speaks through ``screens.speech.player`` and records what was said in ``run_dir/speech.jsonl``.

    The record is one line a script: all message ids, and the words of the public sentences alone.
    """

    def __init__(self, run_dir: Path, voice_dir: str = "", sound: Sound | None = None) -> None:
        self._sound = sound or Sound()
        self._record = run_dir / "speech.jsonl"
        self._voice_dir = voice_dir
        self._player: subprocess.Popen[bytes] | None = None

    def speak(self, question: str, said: Sequence[Utterance], language: str, *, headset: bool = False) -> None:
        assert headset or not any(one.personal for one in said), "strangers hear nothing personal"
        device = self._sound.headset if headset else self._sound.loudspeaker
        self.stop()
        self._note(question, said, language)
        if not said:
            return
        try:
            self._player = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("player.py")), self._voice_dir, language, device],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return  # no room for a process: the page still stands, and the record says what it was to say
        assert self._player.stdin is not None
        lines = "".join(json.dumps(one.pieces, ensure_ascii=False) + "\n" for one in said)
        try:
            self._player.stdin.write(lines.encode())
            self._player.stdin.close()
        except BrokenPipeError:
            self._player = None  # it died at once: nothing to hear, the record stands

    def stop(self) -> None:
        player, self._player = self._player, None
        if player is None or player.poll() is not None:
            return
        os.killpg(player.pid, signal.SIGTERM)  # with whatever it plays just now
        try:
            player.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(player.pid, signal.SIGKILL)
            player.wait()

    def _note(self, question: str, said: Sequence[Utterance], language: str) -> None:
        if not said:
            return
        line = {
            "monotonic_s": round(time.monotonic(), 3),
            "question": question,
            "language": language,
            "msgids": [one.msgid for one in said],
            "words": " ".join(one.words for one in said if not one.personal and one.msgid != TONE_PIECE),
        }
        with suppress(OSError):  # a full tmpfs costs the record, not the resident's page
            self._write(line)

    def _write(self, line: dict[str, object]) -> None:
        whole = self._record.exists() and self._record.stat().st_size > RECORD_BYTES_MAX
        with self._record.open("w" if whole else "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
