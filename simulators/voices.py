"""``python -m simulators.voices DIR``: build the free voice pack, standard Chinese and English, by espeak-ng.

A pack is data: ``DIR/<language>/<first 16 hex digits of sha256 of the words>.wav``, one file a fixed part of a
message, and in Chinese one for each character that numbers, amounts and dates are made of. Another voice or dialect
is another folder of the same names. espeak-ng reads hanzi by single characters, wrongly in 银行 and 重庆, so pypinyin
chooses the readings in their words first.
"""

import argparse
import hashlib
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
from pypinyin import Style, lazy_pinyin

CATALOG = Path(__file__).parents[1] / "kiosk" / "l10n" / "zh_CN.po"
VALUE_CHARS = "零一二三四五六七八九十百千万亿元角分年月日负0123456789"
WORDS_A_MINUTE = 150
SPEAK_S_MAX = 20.0
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


def sound(words: str, language: str, path: Path) -> None:
    """Write ``words`` as a wave file.

    Raises:
        subprocess.CalledProcessError, subprocess.TimeoutExpired: espeak-ng could not.
    """
    voice, text = ("cmn-latn-pinyin", readings(words)) if language == "zh" else ("en", words)
    command = ["espeak-ng", "-v", voice, "-s", str(WORDS_A_MINUTE), "-w", str(path), "--stdin"]
    subprocess.run(command, input=text.encode(), check=True, timeout=SPEAK_S_MAX, stderr=subprocess.DEVNULL)


def pack() -> Iterator[tuple[str, str, Path]]:
    """Everything that a pack holds: words, language, and the path in the pack's folder."""
    for language in ("zh", "en"):
        single = VALUE_CHARS if language == "zh" else ""
        for words in sorted({*fixed_parts(language), *single}):
            yield words, language, Path(language, f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.wav")


def build(folder: Path) -> int:
    """Build what is missing in ``folder``; how many files that were."""
    made = 0
    for words, language, name in pack():
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            sound(words, language, folder / name)
            made += 1
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators.voices")
    parser.add_argument("folder", type=Path)
    print(f"{build(parser.parse_args().folder)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
