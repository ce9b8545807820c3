"""A headset in its jack: names and amounts are heard there and never aloud, and the glass can be made dark."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Name
from kiosk.l10n import aloud, shown
from kiosk.ports import Figure, Figures, PadKey, Question
from screens import acts
from screens.picture import Words
from screens.speech import player
from screens.speech.script import script
from simulators.voices import sound
from tests.screens.poses import POSES, pages, questions
from tests.screens.samples import LONG_NAME, samples
from tests.screens.test_screen_port import answer, standing

AMOUNT = "1,234.50"


def values(question: Question) -> list[object]:
    """Every argument of every text that the question holds, nested ones too."""
    rows: tuple[Figure, ...] = question.body.rows if isinstance(question.body, Figures) else ()
    texts = [question.heading, *question.explain, *([question.spoken] if question.spoken else [])]
    texts += [text for answer in question.answers for text in (answer.label, answer.note, answer.unavailable) if text]
    texts += [text for row in rows for text in (row.label, row.note) if text]
    found: list[object] = [row.value for row in rows]
    while texts:
        for value in texts.pop().args.values():
            texts += [value] if hasattr(value, "args") else []
            found.append(value)
    return found


def test_no_amount_and_no_name_is_ever_a_strangers() -> None:
    """On every page, in both languages: what is not marked as personal holds no amount and no name of the page."""
    for pose in (POSES[0], POSES[1]):
        for name, question in questions().items():
            secret = [value for value in values(question) if isinstance(value, Amount | Name)]
            words = {form(value, pose.language) for value in secret for form in (aloud, shown)} - {""}
            for moment, picture in pages(pose, question):
                public = " ".join(one.words for one in script(moment, picture) if not one.personal)
                assert not [one for one in words if one in public], (name, public)


async def test_pulling_the_plug_silences_names_and_amounts(tmp_path: Path) -> None:
    """In: speech begins, with everything. Out: the loudspeaker has said nothing personal, and speech is off again."""
    async with standing(tmp_path) as (screen, listener):
        screen.show(samples()["balance"])
        screen.headset(True)
        assert LONG_NAME in listener.words
        assert "遮住键" in listener.words
        screen.headset(False)
        assert listener.words == ""
        screen.key(PadKey.SPEAK)
        assert "您的账户" in listener.words
        assert not any(one.personal for one in listener.aloud)


async def test_the_glass_is_dark_while_keys_and_speech_go_on(tmp_path: Path) -> None:
    """The hide key takes everything from the glass; keys answer the page behind it, and the next page is dark too."""
    async with standing(tmp_path) as (screen, listener):
        screen.headset(True)
        screen.show(samples()["balance"])
        screen.key(PadKey.HIDE)
        seen = " ".join(item.words for item in screen.picture.items if isinstance(item, Words))
        assert AMOUNT not in seen and LONG_NAME not in seen
        assert [target.act for target in screen.picture.targets] == [acts.DARK]
        assert await answer(screen, samples()["menu"], PadKey.DIGIT_3) == "pin"
        assert [target.act for target in screen.picture.targets] == [acts.DARK]
        assert "按 3，改社保卡密码" in listener.words


async def test_light_comes_back_with_amounts_hidden(tmp_path: Path) -> None:
    """By the key, by the button on the glass, or by pulling the plug; who stands beside reads no amount."""
    async with standing(tmp_path) as (screen, _):
        for wake in (lambda: screen.key(PadKey.HIDE), lambda: screen._do(acts.DARK), lambda: screen.headset(False)):
            screen.headset(True)
            screen.show(samples()["balance"])
            screen.key(PadKey.HIDE)
            assert screen.preferences.dark
            wake()
            assert not screen.preferences.dark
            seen = " ".join(item.words for item in screen.picture.items if isinstance(item, Words))
            assert "您的账户" in seen
            assert AMOUNT not in seen


async def test_the_next_resident_has_light(tmp_path: Path) -> None:
    """Dark ends with the visit; a headset that stays in goes on speaking."""
    async with standing(tmp_path) as (screen, _):
        screen.headset(True)
        screen.show(samples()["menu"])
        screen.key(PadKey.HIDE)
        screen.clear_session()
        assert not screen.preferences.dark
        assert screen.preferences.spoken


async def test_without_a_headset_the_key_hides_amounts_alone(tmp_path: Path) -> None:
    """A dark glass helps nobody who must read it."""
    async with standing(tmp_path) as (screen, _):
        screen.show(samples()["balance"])
        screen.key(PadKey.HIDE)
        assert not screen.preferences.dark
        assert screen.picture.target(acts.HIDE)


def test_each_way_out_has_its_own_device(tmp_path: Path) -> None:
    """The player gives ALSA the device it was told, and all goes there: the clip, what espeak-ng reads and the tone."""
    (tmp_path / "en").mkdir()
    clip = sound("Help", "en")
    (tmp_path / "en" / f"{hashlib.sha256(b'Help').hexdigest()[:16]}.opus").write_bytes(clip)
    for name, body in {
        "aplay": f'#!/bin/sh\necho "$@" >> {tmp_path}/played\ncat > {tmp_path}/heard\n',
        "espeak-ng": f"#!/bin/sh\ncat > /dev/null\nprintf '%{player.WAVE_HEADER}sspoken' ''\n",
    }.items():
        (tmp_path / name).write_text(body)
        (tmp_path / name).chmod(0o755)
    command = [sys.executable, "-I", player.__file__, str(tmp_path), "en", "hw:Headset"]
    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(command, input=b'["Help", "Take your card.", "\\u0007"]\n', env=environment, timeout=20, check=True)
    assert (tmp_path / "played").read_text() == "-q -t raw -f S16_LE -r 22050 -c 1 -D hw:Headset\n"
    unpacked = player._made_by(player._OPUSDEC, clip)
    assert (tmp_path / "heard").read_bytes() == unpacked + b"spoken" + player._tone()


def test_amounts_are_among_the_pages() -> None:
    """The test above would be blind without them."""
    amounts = [value for question in questions().values() for value in values(question) if isinstance(value, Amount)]
    assert Amount(Fen(123450)) in amounts
    assert len(amounts) > 50


def test_a_number_to_tell_is_heard() -> None:
    """Give the number below, it says; that is no help to who cannot see it: the voice reads it, figure by figure."""
    pose = POSES[0]
    asked = [question for question in questions().values() if question.case_code == "451207"]
    assert asked
    for question in asked:
        moment, picture = next(iter(pages(pose, question)))
        assert "4 5 1 2，0 7" in " ".join(one.words for one in script(moment, picture) if not one.personal), (
            question.name
        )


def test_two_bills_of_one_department_are_told_apart_by_ear() -> None:
    """Beside each choice the headset reads its sum and its day; the loudspeaker names the department alone."""
    pose, question = POSES[0], questions()["bill-choose_bill"]
    moment, picture = next(iter(pages(pose, question)))
    said = script(moment, picture)
    first, note = said[1], said[2]
    assert not first.personal and "按 1，神经内科" in first.words
    assert note.personal and "九万八千七百六十五元四角三分" in note.words and "二零二六年" in note.words
