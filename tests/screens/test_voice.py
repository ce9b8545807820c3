"""Voice packs and the player: what is said, from which file, and what is written down of it."""

import hashlib
import json
import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Name, say
from kiosk.l10n import spoken_pieces
from screens.speech import player
from screens.speech.script import Utterance, sentence
from screens.speech.speaker import RECORD_BYTES_MAX, VoiceSpeaker
from simulators.voices import VALUE_CHARS, fixed_parts, readings, sound

END_S_MAX = 20.0
HOUSE = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "pinyin"),
    [("银行行长", "yin2 hang2 hang2 zhang3"), ("重庆", "chong2 qing4"), ("按 0", "an4   ling2")],
)
def test_polyphones_are_read_by_their_words(words: str, pinyin: str) -> None:
    """Readings come from words, not from single characters; digits are read as Chinese."""
    assert readings(words) == pinyin


def test_a_sentence_becomes_a_sound(tmp_path: Path) -> None:
    """espeak-ng writes a wave file of about the sentence's length."""
    path = tmp_path / "sentence.wav"
    sound("请取走您的卡", "zh", path)
    with wave.open(str(path)) as file:
        assert 0.5 < file.getnframes() / file.getframerate() < 5


def test_every_fixed_part_of_a_spoken_sentence_is_in_the_pack() -> None:
    """What the catalog says around its arguments is built beforehand, in the pieces in which it is spoken."""
    built = set(fixed_parts("zh"))
    pieces = spoken_pieces(say("Press {key} for {answer}.", key=1, answer=say("Help")), "zh")
    fixed = [piece.strip() for piece in pieces if not piece.isdigit() and any(char.isalnum() for char in piece)]
    assert set(fixed) <= built
    assert set("一千二百三十四元五角") <= set(VALUE_CHARS)


def test_the_player_takes_whole_pieces_then_characters(tmp_path: Path) -> None:
    """A piece is played from its own file, else from its characters' files, else not from the pack."""
    for words in ("按", "一", "元"):
        (tmp_path / f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.wav").touch()
    assert len(player._sounds("按", tmp_path)) == 1
    assert len(player._sounds("一元", tmp_path)) == 2
    assert len(player._sounds("一、元", tmp_path)) == 2  # a pause needs no file
    assert player._sounds("二元", tmp_path) == []
    assert player._sounds("，", tmp_path) == []


def test_the_player_ends_by_itself(tmp_path: Path) -> None:
    """Without a pack and whatever the machine can play, the player reads its lines and ends well."""
    command = [sys.executable, "-I", player.__file__, str(tmp_path), "en"]
    lines = json.dumps(["Take your card."]) + "\n"
    assert subprocess.run(command, input=lines.encode(), timeout=END_S_MAX, check=False).returncode == 0


def test_the_record_never_holds_personal_words(tmp_path: Path) -> None:
    """Of a sentence with a name or an amount the record keeps the message id alone."""
    speaker = VoiceSpeaker(tmp_path)
    said: list[Utterance] = [
        *sentence(say("Help"), "zh"),
        *sentence(say("{a} {b}", a=Name("王小明"), b=Amount(Fen(123450))), "zh"),
    ]
    speaker.speak("menu", said, "zh", headset=True)
    speaker.stop()
    (line,) = (tmp_path / "speech.jsonl").read_text().splitlines()
    assert json.loads(line)["msgids"] == ["Help", "{a} {b}"]
    assert json.loads(line)["words"] == "叫人帮忙"
    assert "王" not in line
    assert "千" not in line


def test_a_new_script_silences_the_old_one(tmp_path: Path) -> None:
    """Stopping ends the player at once, also in the middle of a long sentence."""
    speaker = VoiceSpeaker(tmp_path)
    speaker.speak("menu", sentence(say("Help"), "zh") * 50, "zh")
    process = speaker._player
    assert process is not None
    speaker.stop()
    assert process.poll() is not None


KILLED_KIOSK = """
import sys, time
from pathlib import Path
from kiosk.domain.text import say
from screens.speech.script import sentence
from screens.speech.speaker import VoiceSpeaker
speaker = VoiceSpeaker(Path(sys.argv[1]))
speaker.speak("menu", sentence(say("Help"), "en") * 5, "en")
print(speaker._player.pid, flush=True)
time.sleep(60)
"""


def test_a_killed_kiosk_falls_silent(tmp_path: Path) -> None:
    """A kiosk that is killed takes its player along, and what the player plays."""
    (tmp_path / "bin").mkdir()
    voice = tmp_path / "bin" / "espeak-ng"
    voice.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/voices\nexec sleep 60\n")
    voice.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PYTHONPATH": str(HOUSE)}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_KIOSK, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as kiosk:
        assert kiosk.stdout is not None
        player_pid = int(kiosk.stdout.readline())
        assert became(lambda: (tmp_path / "voices").exists() and bool((tmp_path / "voices").read_text()))
        kiosk.kill()
    voice_pid = int((tmp_path / "voices").read_text().split()[0])
    assert became(lambda: not alive(player_pid) and not alive(voice_pid))


def test_the_record_of_what_was_said_stays_small(tmp_path: Path) -> None:
    """The record lies in memory, so a full one is begun again."""
    speaker = VoiceSpeaker(tmp_path)
    record = tmp_path / "speech.jsonl"
    record.write_text("x" * (RECORD_BYTES_MAX + 1))
    speaker.speak("menu", sentence(say("Help"), "zh"), "zh")
    speaker.stop()
    assert len(record.read_text().splitlines()) == 1


def test_the_tone_is_a_sound_of_its_own() -> None:
    """Four tenths of a second that begin and end softly."""
    tone = player._tone()
    samples = [int.from_bytes(tone[at : at + 2], "little", signed=True) for at in range(0, len(tone), 2)]
    assert len(samples) == 3200
    assert abs(samples[0]) < 100 > abs(samples[-1])
    assert max(samples) > 10_000


def became(holds: Callable[[], bool]) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + END_S_MAX
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
