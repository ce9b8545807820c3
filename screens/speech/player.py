"""A process that reads sentences aloud, one after another, and ends: ``player.py VOICE_DIR LANGUAGE [DEVICE]``.

Standard input: one JSON list of pieces a line. A piece is played from the voice pack where that holds it
(``VOICE_DIR/LANGUAGE/<first 16 hex digits of sha256 of the piece>.wav``, the whole piece or each of its
characters), else read by espeak-ng. ``DEVICE`` is an ALSA name; without one it is ALSA's default. Standard
library only: it must start in a few milliseconds.
"""

import ctypes
import hashlib
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

PIECE_S_MAX = 30.0
TONE_PIECE = "\a"  # a tone instead of words
_PR_SET_PDEATHSIG = 1
_VOICES = {"zh": "cmn-latn-pinyin", "en": "en"}
_child: subprocess.Popen[bytes] | None = None
_APLAY = ["aplay", "-q"]


def main(voice_dir: str, language: str, device: str = "") -> None:
    """Read everything, then speak."""
    if device:
        _APLAY.extend(["-D", device])
    signal.signal(signal.SIGTERM, _end)
    # A kiosk that is killed falls silent: nobody would stop what is being said of a resident who has left.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0)
    folder = Path(voice_dir) / language if voice_dir else None
    for pieces in [json.loads(line) for line in sys.stdin]:
        for piece in pieces:
            _speak(piece.strip(), language, folder)


def _speak(piece: str, language: str, folder: Path | None) -> None:
    if piece == TONE_PIECE:
        if shutil.which("aplay"):
            _run([*_APLAY, "-t", "raw", "-f", "S16_LE", "-r", "8000", "-c", "1"], _tone())
        return
    sounds = _sounds(piece, folder)
    if sounds and shutil.which("aplay"):
        _run([*_APLAY, *sounds])
    elif any(char.isalnum() for char in piece) and shutil.which("espeak-ng"):
        _read(["espeak-ng", "-v", _VOICES.get(language, "en"), "-s", "150", "--stdin"], piece.encode())


def _read(command: list[str], words: bytes) -> None:
    """By espeak-ng's own way out, or by ``aplay`` where that must be a certain device."""
    if "-D" not in _APLAY:
        _run(command, words)
    elif shutil.which("aplay"):
        wave = subprocess.run(
            [*command, "--stdout"], input=words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=PIECE_S_MAX, check=False,
        ).stdout  # fmt: skip
        _run([*_APLAY, "-"], wave)


def _tone(hertz: int = 880, milliseconds: int = 400) -> bytes:
    """One soft tone, 8000 samples a second of 16 bits."""
    count = 8 * milliseconds
    samples = (
        round(12000 * math.sin(2 * math.pi * hertz * at / 8000) * min(at, count - at, 400) / 400) for at in range(count)
    )
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


def _sounds(piece: str, folder: Path | None) -> list[str]:
    """Files that together say the piece, or none."""
    if folder is None:
        return []
    whole = _file(piece, folder)
    if whole.exists():
        return [str(whole)]
    files = [_file(char, folder) for char in piece if char.isalnum()]
    return [str(file) for file in files] if files and all(file.exists() for file in files) else []


def _file(words: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.wav"


def _run(command: list[str], words: bytes = b"") -> None:
    """Words go through a pipe, never into an argument list."""
    global _child
    _child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        _child.communicate(words, timeout=PIECE_S_MAX)
    except subprocess.TimeoutExpired:
        _child.kill()
        _child.wait()


def _end(number: int, frame: FrameType | None) -> None:
    if _child is not None and _child.poll() is None:
        _child.terminate()
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:4])
