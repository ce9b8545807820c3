"""Voice packs and the player: what is said, from which file, and what is written down of it."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Name, say
from kiosk.l10n import spoken_pieces
from screens.speech import player
from screens.speech.script import Utterance, sentence
from screens.speech.speaker import RECORD_BYTES_MAX, VoiceSpeaker
from simulators.voices import VALUE_CHARS, build, fixed_parts, pack, readings, sound

END_S_MAX = 20.0
HOUSE = Path(__file__).parents[2]
SPOKEN = b"spoken" * 20_000  # more than a pipe holds


def named(words: str, folder: Path) -> Path:
    """Where the pack has them."""
    folder.mkdir(exist_ok=True)
    return folder / f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.opus"


def played(lines: list[list[str]], folder: Path, *, path: str = "", ends_early: bool = False) -> bytes:
    """What the player gives to the sound device of a machine whose voice says SPOKEN. ``ends_early``: the first aplay
    fails. ``path``: the only folder that has programs."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "spoken").write_bytes(bytes(player.WAVE_HEADER) + SPOKEN)
    fails = "[ -e again ] || { : > again; /usr/bin/head -c 9 > few; exit 1; }" if ends_early else ""
    for name, body in {
        "espeak-ng": "exec /bin/cat spoken",
        "aplay": f'echo "$@" >> played\n{fails}\nexec /bin/cat > heard',
    }.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\ncd {folder}\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    given = "".join(json.dumps(line) + "\n" for line in lines).encode()
    command = [sys.executable, "-I", player.__file__, str(folder), "zh"]
    environment = {**os.environ, "PATH": path or f"{folder}/bin:/usr/bin:/bin"}
    subprocess.run(command, input=given, env=environment, timeout=END_S_MAX, check=True)
    return (folder / "heard").read_bytes()


def peak(samples: bytes) -> int:
    """The loudest of them."""
    return max(abs(int.from_bytes(samples[at : at + 2], "little", signed=True)) for at in range(0, len(samples), 2))


@pytest.mark.parametrize(
    ("words", "pinyin"),
    [("银行行长", "yin2 hang2 hang2 zhang3"), ("重庆", "chong2 qing4"), ("按 0", "an4   ling2")],
)
def test_polyphones_are_read_by_their_words(words: str, pinyin: str) -> None:
    """Readings come from words, not from single characters; digits are read as Chinese."""
    assert readings(words) == pinyin


def test_a_sentence_becomes_a_sound() -> None:
    """What opusdec makes of a clip is as long as what espeak-ng said, and as long as the clip itself says."""
    clip = sound("请取走您的卡", "zh")
    samples = player._made_by(player._OPUSDEC, clip)
    command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-s", "150", "--stdin", "--stdout"]
    spoken = player._made_by(command, readings("请取走您的卡").encode())
    assert len(samples) == len(spoken) - player.WAVE_HEADER == 2 * player._samples_said(clip)
    assert 0.5 < len(samples) / 2 / player.RATE < 5
    assert len(clip) < len(samples) / 5
    assert peak(samples) == pytest.approx(peak(spoken[player.WAVE_HEADER :]), rel=0.25)


def test_the_same_words_are_the_same_bytes() -> None:
    """Two packs of one catalog are alike: no date, no serial number by chance."""
    assert sound("请取走您的卡", "zh") == sound("请取走您的卡", "zh")


def test_a_pack_is_completed(tmp_path: Path) -> None:
    """What is missing is made, on every core, what is there stays, and nothing else is left."""
    names = [name for _, _, name in pack()]
    assert len(names) == len(set(names)) > 2000
    for name in names[3:]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert build(tmp_path) == 3
    assert sorted(tmp_path.rglob("*.*")) == sorted(tmp_path / name for name in names)
    assert [(tmp_path / name).stat().st_size > 0 for name in names[:4]] == [True, True, True, False]


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
        named(words, tmp_path).touch()
    assert player._clips("按", tmp_path) == [("按", named("按", tmp_path))]
    assert [words for words, _ in player._clips("一元", tmp_path)] == ["一", "元"]
    assert [words for words, _ in player._clips("一、元", tmp_path)] == ["一", "元"]  # a pause needs no file
    assert player._clips("二元", tmp_path) == []
    assert player._clips("，", tmp_path) == []


def test_clips_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    """One aplay gets the clips of all pieces, one right after the other, and the tone, in their order."""
    clips = {words: sound(words, "zh") for words in ("按", "一", "元")}
    for words, clip in clips.items():
        named(words, tmp_path / "zh").write_bytes(clip)
    heard = played([["按", "一一元"], ["，", player.TONE_PIECE]], tmp_path)
    samples = [player._made_by(player._OPUSDEC, clips[words]) for words in ("按", "一", "一", "元")]
    assert heard == b"".join(samples) + player._tone()
    assert (tmp_path / "played").read_text() == "-q -t raw -f S16_LE -r 22050 -c 1\n"


def test_a_damaged_clip_is_read_by_the_machine(tmp_path: Path) -> None:
    """Cut off, changed at any place or no Opus at all: what it would have said is heard nevertheless."""
    clip = sound("请取走您的卡和凭条，再把卡片收好", "zh")
    whole = player._made_by(player._OPUSDEC, clip)
    tenth = len(clip) // 10
    damaged = [clip[: at * tenth] for at in range(10)]
    damaged += [clip[: at * tenth] + bytes([clip[at * tenth] ^ 0x55]) + clip[at * tenth + 1 :] for at in range(10)]
    for one in [*damaged, clip[:-1], clip[:-1] + bytes([clip[-1] ^ 1]), b"OggS", whole]:
        named("取走", tmp_path / "zh").write_bytes(one)
        assert player._unpacked(named("取走", tmp_path / "zh")) == b""
    named("一", tmp_path / "zh").write_bytes(clip)
    assert played([["取走"], ["一"]], tmp_path) == SPOKEN + whole


def test_without_opusdec_the_machine_reads(tmp_path: Path) -> None:
    """A pack that cannot be unpacked is as none."""
    named("一", tmp_path / "zh").write_bytes(sound("一", "zh"))
    assert played([["一"]], tmp_path, path=str(tmp_path / "bin")) == SPOKEN


def test_a_sound_device_that_fails_is_tried_again(tmp_path: Path) -> None:
    """The piece that it was to play is lost, the next one is heard."""
    heard = played([["one"], ["two"]], tmp_path, ends_early=True)
    assert heard == SPOKEN
    assert len((tmp_path / "played").read_text().splitlines()) == 2


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
    assert len(samples) == 0.4 * player.RATE
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
