"""Reads the agency's offline policy, a signed document (``kiosk/basics/signed.py``) of kind ``offline_policy``.

``{"age_s_max", "hotlist_age_s_max", "unsent_fen_max", "unsent_count_max", "acts": {name: {"act_fen_max",
"card_day_fen_max", "card_day_count_max"}}}``; amounts in fen. An unknown field is an error: a limit that this version
does not know must not be passed over.
"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.basics.signed import NotTrusted, Trusted, read_signed
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, OfflinePolicy

KIND = "offline_policy"
_DATED = ("kind", "version", "issued_at", "expires_at")


class _Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    act_fen_max: int
    card_day_fen_max: int
    card_day_count_max: int


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    age_s_max: int
    hotlist_age_s_max: int
    unsent_fen_max: int
    unsent_count_max: int
    acts: dict[str, _Limits]


def read_policy(wire: bytes, keys: Mapping[str, Ed25519PublicKey], version_min: int = 0) -> OfflinePolicy:
    """Raises NotTrusted: then nothing with money is allowed offline."""
    trusted = read_signed(wire, KIND, keys, version_min)
    told = _shaped(trusted)
    return OfflinePolicy(
        version=trusted.version,
        issued_at=trusted.issued_at,
        expires_at=trusted.expires_at,
        age_max=timedelta(seconds=told.age_s_max),
        hotlist_age_max=timedelta(seconds=told.hotlist_age_s_max),
        unsent_fen_max=Fen(told.unsent_fen_max),
        unsent_count_max=told.unsent_count_max,
        acts={
            name: ActLimits(Fen(one.act_fen_max), Fen(one.card_day_fen_max), one.card_day_count_max)
            for name, one in told.acts.items()
        },
    )


def _shaped(trusted: Trusted) -> _Policy:
    limits = {name: value for name, value in trusted.content.items() if name not in _DATED}
    try:
        told = msgspec.convert(limits, _Policy)
    except msgspec.ValidationError as error:
        raise NotTrusted(f"{KIND}: {error}") from None
    figures = [told.age_s_max, told.hotlist_age_s_max, told.unsent_fen_max, told.unsent_count_max]
    figures += [figure for one in told.acts.values() for figure in msgspec.structs.astuple(one)]
    if min(figures) < 0:
        raise NotTrusted(f"{KIND}: a limit below nothing")
    return told
