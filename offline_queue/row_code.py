"""One row of the journal as the content of a QR code: every receipt carries its own (money-rules 25, 26). INVENTED.

``YKT1:`` and base45 of a signature (Ed25519 by the journal's key, 64 bytes, over a tag and what follows) and a
MessagePack array: terminal, seq, time, act, case code, card index, postings, link, and what only the agency can open.
Where the board is dead, the agency books the row from the paper; where it is not, the link anchors the chain outside.
No personal data stands in it in clear. About 780 characters: QR version 18 at level M; with a recovery key of 4096 bits
up to 1,320, which the printer draws at level L.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kiosk.domain.entries import Facts
from offline_queue.base45 import base45, from_base45
from offline_queue.sealing import Root, wrap_for_agency

ROW_OF_CODE = "select seq, at, act, case_code, card_index, postings, link from entry where seq = ?"
MARK = "YKT1:"
SIGNED_TAG = b"yikatong journal row 1\0"
_SIGNATURE_BYTES = 64
_OAEP_BYTES = 66  # of an RSA block, spent by OAEP with SHA-256
_HOLDER = "card_number"  # whose row it is stays in, whatever else must go


def row_code(
    terminal_id: str, row: Sequence[Any], facts: Facts | None, root: Root, recovery: RSAPublicKey | None
) -> str:
    """``row``: as ``ROW_OF_CODE`` asks for it. ``facts``: of the row, None where its period was destroyed. ``recovery``
    None: nobody could open any."""
    sealed = b""
    if facts and recovery:
        sealed = wrap_for_agency(_that_fit(facts, recovery.key_size // 8 - _OAEP_BYTES), recovery)
    seq, at, act, case_code, card_index, postings, link = row
    clear = (terminal_id, seq, at, act, case_code, bytes.fromhex(card_index), postings)
    body = msgspec.msgpack.encode((*clear, link, sealed))
    return MARK + base45(root.signing.sign(SIGNED_TAG + body) + body)


def anchor_in(code: str, public_key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Row and link that a receipt of this journal vouches for (money-rules 26). Raises ValueError: it does not."""
    raw = from_base45(code.removeprefix(MARK))
    try:
        public_key.verify(raw[:_SIGNATURE_BYTES], SIGNED_TAG + raw[_SIGNATURE_BYTES:])
    except InvalidSignature:
        raise ValueError("not signed by this terminal") from None
    _, seq, *_, link, _ = msgspec.msgpack.decode(raw[_SIGNATURE_BYTES:])
    return int(seq), bytes(link)


def _that_fit(facts: Facts, bytes_max: int) -> bytes:
    """Without the longest, where they are too long: amounts and numbers of things are short."""
    left = dict(facts)
    while len(packed := msgspec.msgpack.encode(left)) > bytes_max:
        del left[max((name for name in left if name != _HOLDER), key=lambda name: len(str(left[name])))]
    return packed
