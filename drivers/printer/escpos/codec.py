"""ESC/POS bytes for a receipt. Does no IO and knows no printer's state; answers are read by ``status.py``.

A receipt is a list of *pieces*: each is one or more complete commands, so that a status question can stand between
any two of them without landing inside an image. Sources: Epson ESC/POS reference; Bixolon, Cashino and Dascom
manuals (Chinese mode, cutter). Two rules learned from field reports: ``ESC @`` only at the start (at the end it
drops or garbles the next job), and no image byte may look like a real-time command.
"""

INIT = b"\x1b@"
HANZI_ON = b"\x1c&"
CUT = b"\x1dVA\x00"  # feed to the cutter, then cut: GS V 65 0
CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"  # DLE DC4 8, with the fixed code that guards it
RECOVER_AND_CLEAR = b"\x10\x05\x02"  # DLE ENQ 2: leave a recoverable error, drop what was waiting
FENCE = b"\x1dr\x01"  # GS r 1: answered only once everything before it was processed

FULL_STATUS = b"\x10\x04\x14"  # DLE EOT 20, of kiosk printers: the only question that asks for the outlet

QUESTIONS = (1, 2, 3, 4)
BAND_ROWS = 24
# Bytes that a QR code of version 1, 2, ... holds at level M (ISO/IEC 18004, table 7), up to what 58 mm of paper take.
QR_BYTES_M = (
    *(14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362),
    *(412, 450, 504, 560, 624, 666, 711, 779, 857, 911, 997, 1059, 1125),
)
# And at level L, for what is too long: a code that forgives less is better than none.
QR_BYTES_L = (
    *(17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458),
    *(520, 586, 644, 718, 792, 858, 929, 1003, 1091, 1171, 1273, 1367, 1465),
)
_PLAIN = b"\x1b!\x00\x1bE\x00\x1d!\x00\x1c!\x00\x1ba\x00"
_BIG = b"\x1ba\x01\x1d!\x11\x1c!\x0c"  # GS ! for models that scale all, FS ! for those that scale hanzi apart
_BOLD = b"\x1bE\x01"
_REAL_TIME_SECOND = (0x04, 0x05, 0x14)  # DLE EOT, DLE ENQ, DLE DC4
_YUAN = str.maketrans({"¥": "￥", "\t": " "})  # U+00A5 has four bytes in GB18030 and prints as junk
_WORD_MARKS = "".join(map(chr, range(0x21, 0x7F)))
_NO_LINE_START = "，。、；：？！）》」』】”’,.;:?!)%"


def ask(question: int) -> bytes:
    """DLE EOT n: real-time status, ``question`` 1 to 4."""
    assert question in QUESTIONS
    return bytes((0x10, 0x04, question))


def process_fence(number: int) -> bytes:
    """GS ( H function 48: answered with the same four digits once everything before it was printed."""
    return b"\x1d(H\x06\x0000" + process_digits(number)


def process_digits(number: int) -> bytes:
    return b"%04d" % (number % 10_000)


def clean(words: str) -> str:
    """Words fit for paper: one kind of yuan sign, and no control character that would be a command."""
    return "".join(char for char in words.translate(_YUAN) if char >= " " and not "\x7f" <= char <= "\x9f")


def encodable(words: str, charset: str) -> bool:
    """Whether the printer's own font can be asked for these words (``charset`` gb2312, gbk or gb18030)."""
    try:
        words.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def cells(words: str) -> int:
    """Width on paper: ASCII is one cell, everything else two."""
    return sum(1 if char < "\x80" else 2 for char in words)


def wrap(words: str, columns: int) -> list[str]:
    """Break at ``columns`` cells: never inside a character, nor inside a short word or number.

    No closing mark starts a line, and the spaces at a break are gone. Returns at least one line.
    """
    assert columns >= 4
    lines: list[str] = []
    line, used = "", 0
    for char in words:
        width = cells(char)
        if used + width > columns:
            kept = len(line) - _carried(line, char, columns)
            lines.append(line[:kept].rstrip(" "))
            line = line[kept:]
            used = cells(line)
        if char != " " or line or not lines:
            line += char
            used += width
    return [*lines, line]


def _carried(line: str, char: str, columns: int) -> int:
    """How many characters at the end of ``line`` go to the next line together with ``char``."""
    closing = char in _NO_LINE_START
    if char == " " or not (closing or char.isascii()):
        return 0
    word = len(line) - len(line.rstrip(_WORD_MARKS))
    if word > columns // 2 or word == len(line):
        return 0
    return word or int(closing and len(line) > 1)


def text_piece(words: str, style: str, columns: int, charset: str) -> tuple[bytes, int]:
    """One line of the receipt in the printer's own font, with its style before it and plain style after it.

    ``style`` is normal, bold, big (double size, centred) or rule (words ignored). Returns bytes and paper lines.
    """
    if style == "rule":
        return b"-" * columns + b"\n", 1
    lines = wrap(clean(words), columns // 2 if style == "big" else columns)
    body = "".join(line + "\n" for line in lines).encode(charset)
    if style == "normal":
        return body, len(lines)
    return (_BIG if style == "big" else _BOLD) + body + _PLAIN, len(lines) * (2 if style == "big" else 1)


def raster_pieces(width_bytes: int, rows: bytes) -> list[bytes]:
    """GS v 0 images, at most ``BAND_ROWS`` rows each, MSB left, 1 = ink."""
    assert 0 < width_bytes <= 255
    assert len(rows) % width_bytes == 0
    band = BAND_ROWS * width_bytes
    return [_raster(width_bytes, rows[start : start + band]) for start in range(0, len(rows), band)]


def _raster(width_bytes: int, rows: bytes) -> bytes:
    height = len(rows) // width_bytes
    return b"\x1dv0\x00" + bytes((width_bytes, 0, height, 0)) + without_real_time(rows)


def without_real_time(rows: bytes) -> bytes:
    """Image bytes in which 10 04, 10 05 and 10 14 do not occur: one dot is added beside an inked one.

    Some printers obey real-time commands inside image bytes: 10 14 there opens the drawer or powers off.
    """
    if not any(bytes((0x10, second)) in rows for second in _REAL_TIME_SECOND):
        return rows
    safe = bytearray(rows)
    for index in range(1, len(safe)):
        if safe[index - 1] == 0x10 and safe[index] in _REAL_TIME_SECOND:
            safe[index] |= 0x02
    return bytes(safe)


def qr_level(content: str) -> str:
    """M, or L where the content is too long for it."""
    return "M" if len(content.encode()) <= QR_BYTES_M[-1] else "L"


def qr_side(content: str) -> int:
    """Modules on a side, at worst: a printer without alphanumeric mode takes every character as a byte."""
    length, holds = len(content.encode()), QR_BYTES_M if qr_level(content) == "M" else QR_BYTES_L
    assert 0 < length <= holds[-1]
    return 17 + 4 * next(version for version, most in enumerate(holds, 1) if length <= most)


def qr_piece(content: str, module_dots: int = 6, correction: str = "") -> bytes:
    """QR drawn by the printer (GS ( k, model 2), centred. ``correction``: "" for ``qr_level``."""
    stored = content.encode()
    assert 0 < len(stored) <= QR_BYTES_L[-1]
    correction = correction or qr_level(content)
    length = len(stored) + 3
    return b"".join(
        (
            b"\x1ba\x01",
            b"\x1d(k\x04\x001A2\x00",
            b"\x1d(k\x03\x001C" + bytes((module_dots,)),
            b"\x1d(k\x03\x001E" + bytes((0x30 + "LMQH".index(correction),)),
            b"\x1d(k" + bytes((length & 0xFF, length >> 8)) + b"1P0" + stored,
            b"\x1d(k\x03\x001Q0",
            b"\n\x1ba\x00",
        )
    )


def feed(lines: int) -> bytes:
    """ESC d n."""
    return bytes((0x1B, 0x64, lines))
