"""``python -m simulators.voices DIR``: build the free voice pack, standard Chinese and English, by espeak-ng.

A pack is data: ``DIR/<language>/<first 16 hex digits of sha256 of the words>.opus``, one file a fixed part of a
message, and in Chinese one for each character that numbers, amounts and dates are made of. Another voice or dialect
is another folder of the same names, each one Ogg Opus (RFC 7845) of any rate. espeak-ng reads hanzi by single
characters, wrongly in 银行 and 重庆, so pypinyin chooses the readings in their words first.
"""

import argparse
import hashlib
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polib
from pypinyin import Style, lazy_pinyin

CATALOG = Path(__file__).parents[1] / "kiosk" / "l10n" / "zh_CN.po"
VALUE_CHARS = "零一二三四五六七八九十百千万亿元角分年月日负0123456789"
WORDS_A_MINUTE = 150
SPEAK_S_MAX = 20.0  # for each of the two programs
# 24 kbit/s keeps all that espeak-ng's 22.05 kHz hold; half of the highest complexity is heard by nobody and takes two
# thirds of the time. The same sound gives the same bytes: no serial number by chance, no room for later remarks.
OPUSENC = ["opusenc", "--quiet", "--ignorelength", "--bitrate", "24", "--speech", "--comp", "5",
           "--serial", "1", "--padding", "0", "-", "-"]  # fmt: skip
_DIGIT_NAMES = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


def fixed_parts(language: str) -> Iterator[str]:
    """Everything of the catalog that is spoken unchanged: messages cut at their arguments."""
    for entry in polib.pofile(str(CATALOG)):
        message = entry.msgstr if language == "zh" else entry.msgid
        for part, _, _, _ in string.Formatter().parse(message):
            if any(char.isalnum() for char in part):
                yield part.strip()


def readings(words: str) -> str:
    """Chinese as numbered pinyin, polyphones chosen by their words: 银行行长 -> yin2 hang2 hang2 zhang3."""
    spoken = "".join(_DIGIT_NAMES.get(char, char) for char in words)
    return " ".join(lazy_pinyin(spoken, style=Style.TONE3, neutral_tone_with_five=True))


def sound(words: str, language: str) -> bytes:
    """``words`` as Ogg Opus.

    Raises:
        subprocess.CalledProcessError, subprocess.TimeoutExpired: espeak-ng or opusenc could not.
    """
    voice, text = ("cmn-latn-pinyin", readings(words)) if language == "zh" else ("en", words)
    spoken = _made_by(["espeak-ng", "-v", voice, "-s", str(WORDS_A_MINUTE), "--stdin", "--stdout"], text.encode())
    return _made_by(OPUSENC, spoken)


def _made_by(command: list[str], given: bytes) -> bytes:
    return subprocess.run(
        command, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=SPEAK_S_MAX
    ).stdout


def pack() -> Iterator[tuple[str, str, Path]]:
    """Everything that a pack holds: words, language, and the path in the pack's folder."""
    for language in ("zh", "en"):
        single = VALUE_CHARS if language == "zh" else ""
        for words in sorted({*fixed_parts(language), *single}):
            yield words, language, Path(language, f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.opus")


def build(folder: Path) -> int:
    """Build what is missing in ``folder``, on every core; how many files that were. Raises what ``sound`` raises."""
    missing = [(words, language, folder / name) for words, language, name in pack() if not (folder / name).exists()]
    for _, _, path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as cores:
        for _ in cores.map(_put, missing):
            pass
    return len(missing)


def _put(clip: tuple[str, str, Path]) -> None:
    """Whole or not at all: what is there is never made again."""
    words, language, path = clip
    part = path.with_suffix(".part")
    part.write_bytes(sound(words, language))
    part.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators.voices")
    parser.add_argument("folder", type=Path)
    print(f"{build(parser.parse_args().folder)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
