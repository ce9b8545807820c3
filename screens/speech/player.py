"""A process that reads sentences aloud, one after another, and ends: ``player.py VOICE_DIR LANGUAGE [DEVICE]``.

Standard input: one JSON list of pieces a line. A piece is played from the voice pack where that holds it
(``VOICE_DIR/LANGUAGE/<first 16 hex digits of sha256 of the piece>.opus``, the whole piece or each of its
characters), else read by espeak-ng; so is one whose clip is damaged. Everything goes through one ``aplay``: while
that plays, the next clip is unpacked, and no gap is heard. ``DEVICE`` is an ALSA name; without one it is ALSA's
default. Standard library only: it must start in a few milliseconds.
"""

import ctypes
import hashlib
import json
import math
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

PIECE_S_MAX = 30.0  # for a program to make the samples of a piece, and for the sound device to take any
TONE_PIECE = "\a"  # a tone instead of words
RATE = 22050  # samples a second, of 16 bits, one channel: what espeak-ng's voices have
PAGE_HEADER = 27  # bytes at least, of an Ogg page
WAVE_HEADER = 44  # bytes before the samples of what espeak-ng writes
_PR_SET_PDEATHSIG = 1
_VOICES = {"zh": "cmn-latn-pinyin", "en": "en"}
_APLAY = ["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1"]
_OPUSDEC = ["opusdec", "--quiet", "--no-dither", "--rate", str(RATE), "-", "-"]
_aplay: subprocess.Popen[bytes] | None = None


def main(voice_dir: str, language: str, device: str = "") -> None:
    """Read everything, then speak."""
    if device:
        _APLAY.extend(["-D", device])
    signal.signal(signal.SIGTERM, _end)
    # A kiosk that is killed falls silent: nobody would stop what is being said of a resident who has left.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM), 0, 0, 0)
    folder = Path(voice_dir) / language if voice_dir and shutil.which("opusdec") else None
    said = [json.loads(line) for line in sys.stdin]
    if not shutil.which("aplay"):
        return
    _way_out()  # opens the device while the first clip is unpacked
    for pieces in said:
        for piece in pieces:
            _speak(piece.strip(), language, folder)
    _finish()


def _speak(piece: str, language: str, folder: Path | None) -> None:
    if piece == TONE_PIECE:
        _play(_tone())
        return
    clips = _clips(piece, folder)
    for words, clip in clips:
        _play(_unpacked(clip) or _read(words, language))
    if not clips:
        _play(_read(piece, language))


def _read(piece: str, language: str) -> bytes:
    if not any(char.isalnum() for char in piece):
        return b""
    command = ["espeak-ng", "-v", _VOICES.get(language, "en"), "-s", "150", "--stdin", "--stdout"]
    return _made_by(command, piece.encode())[WAVE_HEADER:]


def _tone(hertz: int = 880, milliseconds: int = 400) -> bytes:
    """One soft tone."""
    count = RATE * milliseconds // 1000
    soft = RATE // 20
    samples = (
        round(12000 * math.sin(2 * math.pi * hertz * at / RATE) * min(at, count - at, soft) / soft)
        for at in range(count)
    )
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


def _clips(piece: str, folder: Path | None) -> list[tuple[str, Path]]:
    """Words and clips that together say the piece, or none."""
    if folder is None:
        return []
    if (whole := _file(piece, folder)).exists():
        return [(piece, whole)]
    clips = [(char, _file(char, folder)) for char in piece if char.isalnum()]
    return clips if all(clip.exists() for _, clip in clips) else []


def _file(words: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(words.encode()).hexdigest()[:16]}.opus"


def _unpacked(clip: Path) -> bytes:
    """Nothing unless it is as long as it says: opusdec leaves out what is damaged, and ends well."""
    try:
        packed = clip.read_bytes()
    except OSError:
        return b""
    samples = _made_by(_OPUSDEC, packed)
    return samples if samples and len(samples) == 2 * _samples_said(packed) else b""


def _samples_said(packed: bytes) -> int:
    """By the position at the end of the last page, less what the first says is to be skipped (RFC 7845, 4 and 5.1;
    in 1/48000 s); 0 if the last page is not the end of the stream (RFC 3533, 6)."""
    head, last = packed.find(b"OpusHead"), packed[packed.rfind(b"OggS") :]
    if head < 0 or len(last) < PAGE_HEADER or not last[5] & 4:
        return 0
    position = int.from_bytes(last[6:14], "little")
    skipped = int.from_bytes(packed[head + 10 : head + 12], "little")
    return (position - skipped) * RATE // 48000


def _made_by(command: list[str], given: bytes) -> bytes:
    """What a program writes; nothing where it is not here, fails or hangs. Words go through a pipe, never into an
    argument list."""
    try:
        return subprocess.run(
            command, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PIECE_S_MAX, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return b""


def _way_out() -> subprocess.Popen[bytes]:
    """The aplay that runs, or another where that one has ended: a device that was busy may be free by now."""
    global _aplay
    if _aplay is None or _aplay.poll() is not None:
        _aplay = subprocess.Popen(_APLAY, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert _aplay.stdin is not None
        os.set_blocking(_aplay.stdin.fileno(), False)
    return _aplay


def _play(samples: bytes) -> None:
    """Returns when aplay has taken them, not when they were heard."""
    if not samples:
        return
    aplay = _way_out()
    assert aplay.stdin is not None
    if not _taken(samples, aplay.stdin.fileno()):
        aplay.kill()
        aplay.wait()


def _taken(samples: bytes, pipe: int) -> bool:
    """False: nobody reads any longer, or nobody for a long time."""
    left = memoryview(samples)
    while left:
        if not select.select([], [pipe], [], PIECE_S_MAX)[1]:
            return False
        try:
            left = left[os.write(pipe, left) :]
        except BrokenPipeError:
            return False
    return True


def _finish() -> None:
    """Until the last sound was heard."""
    if _aplay is None:
        return
    try:
        _aplay.communicate(timeout=PIECE_S_MAX)
    except subprocess.TimeoutExpired:
        _aplay.kill()
        _aplay.wait()


def _end(number: int, frame: FrameType | None) -> None:
    if _aplay is not None and _aplay.poll() is None:
        _aplay.terminate()
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:4])
