"""The offline policy: only what the agency signed, only as long as it is good, never beyond a limit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiosk.basics.signed import NotTrusted
from kiosk.domain.money import Fen
from kiosk.domain.offline import ActLimits, OfflinePolicy, OfflineRefusal, OfflineUse, TerminalTime, offline_refusal
from offline_queue.policy import read_policy
from simulators.hosts.agency_documents import DocumentMaker

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SIGNING = Ed25519PrivateKey.from_private_bytes(b"TEST policy signing, no secret..")
AGENCY = DocumentMaker(SIGNING, "agency-1")
KEYS = {"agency-1": SIGNING.public_key()}
LIMITS: dict[str, Any] = {
    "age_s_max": 72 * 3600,
    "hotlist_age_s_max": 24 * 3600,
    "unsent_fen_max": 500_000,
    "unsent_count_max": 200,
    "acts": {"contribution": {"act_fen_max": 40_000, "card_day_fen_max": 80_000, "card_day_count_max": 3}},
}
POLICY = OfflinePolicy(
    version=4,
    issued_at=NOW,
    expires_at=NOW + timedelta(days=7),
    age_max=timedelta(hours=72),
    hotlist_age_max=timedelta(hours=24),
    unsent_fen_max=Fen(500_000),
    unsent_count_max=200,
    acts={"contribution": ActLimits(Fen(40_000), Fen(80_000), 3)},
)
NOTHING_YET = OfflineUse(Fen(0), 0, Fen(0), 0)


def at(now: datetime, high_water: datetime | None = None, confirmed: bool = True) -> TerminalTime:
    return TerminalTime(now, high_water or now, confirmed)


def judged(amount: int, use: OfflineUse = NOTHING_YET, time: TerminalTime | None = None) -> OfflineRefusal | None:
    return offline_refusal(POLICY, "contribution", Fen(amount), use, time or at(NOW))


def test_what_the_agency_signed_is_read() -> None:
    """Every limit arrives, as amounts and durations."""
    assert read_policy(AGENCY.signed("offline_policy", 4, NOW, LIMITS), KEYS) == POLICY


@pytest.mark.parametrize(
    "change",
    [
        {"unsent_fen_max": -1},
        {"unsent_fen_max": "500000"},
        {"unsent_fen_max": True},
        {"new_limit": 1},
        {"acts": []},
        {"acts": {"contribution": {"act_fen_max": 1}}},
    ],
)
def test_a_policy_of_another_shape_allows_nothing(change: dict[str, Any]) -> None:
    """A limit that is missing, unknown, negative or no number: not read at all."""
    with pytest.raises(NotTrusted):
        read_policy(AGENCY.signed("offline_policy", 4, NOW, LIMITS | change), KEYS)


def test_other_documents_and_older_versions_are_refused() -> None:
    """A hotlist is no policy, another signer is nobody, and version 3 does not come back after 4."""
    stranger = DocumentMaker(Ed25519PrivateKey.generate(), "agency-1")
    for wire, version_min in (
        (AGENCY.signed("hotlist", 4, NOW, LIMITS), 0),
        (stranger.signed("offline_policy", 4, NOW, LIMITS), 0),
        (AGENCY.signed("offline_policy", 3, NOW, LIMITS), 4),
    ):
        with pytest.raises(NotTrusted):
            read_policy(wire, KEYS, version_min)


def test_within_every_limit_an_act_is_allowed() -> None:
    """Up to each limit, inclusive."""
    assert judged(40_000) is None
    assert judged(40_000, OfflineUse(Fen(40_000), 2, Fen(460_000), 199)) is None


@pytest.mark.parametrize(
    ("amount", "use", "why"),
    [
        (40_001, NOTHING_YET, OfflineRefusal.ACT_TOO_LARGE),
        (40_000, OfflineUse(Fen(40_001), 1, Fen(0), 0), OfflineRefusal.CARD_DAY_FULL),
        (1, OfflineUse(Fen(0), 3, Fen(0), 0), OfflineRefusal.CARD_DAY_FULL),
        (40_000, OfflineUse(Fen(0), 0, Fen(460_001), 1), OfflineRefusal.TERMINAL_FULL),
        (1, OfflineUse(Fen(0), 0, Fen(0), 200), OfflineRefusal.TERMINAL_FULL),
    ],
)
def test_one_fen_beyond_a_limit_is_refused(amount: int, use: OfflineUse, why: OfflineRefusal) -> None:
    """Each limit by itself."""
    assert judged(amount, use) is why


def test_a_stale_policy_allows_nothing() -> None:
    """Older than 72 hours, or past the agency's own end: no act, with money or without."""
    late = NOW + timedelta(hours=72, seconds=1)
    assert judged(100, time=at(late)) is OfflineRefusal.POLICY_OLD
    assert judged(0, time=at(late)) is OfflineRefusal.POLICY_OLD
    patient = replace(POLICY, age_max=timedelta(days=30))
    past = at(NOW + timedelta(days=7, seconds=1))
    assert offline_refusal(patient, "contribution", Fen(0), NOTHING_YET, past) is OfflineRefusal.POLICY_OLD


def test_a_clock_set_back_reopens_nothing() -> None:
    """The policy's age counts by the latest moment ever seen, and money waits until the clock has caught up."""
    assert judged(100, time=at(NOW, NOW + timedelta(days=4))) is OfflineRefusal.POLICY_OLD
    assert judged(100, time=at(NOW, NOW + timedelta(minutes=3))) is OfflineRefusal.CLOCK
    assert judged(0, time=at(NOW, NOW + timedelta(minutes=3))) is None
    assert judged(100, time=at(NOW, confirmed=False)) is OfflineRefusal.CLOCK


def test_without_a_policy_or_a_limit_nothing_is_allowed() -> None:
    """No document, or an act it does not name."""
    assert offline_refusal(None, "contribution", Fen(0), NOTHING_YET, at(NOW)) is OfflineRefusal.NO_POLICY
    assert offline_refusal(POLICY, "withdrawal", Fen(1), NOTHING_YET, at(NOW)) is OfflineRefusal.NOT_OFFLINE


@given(st.lists(st.integers(0, 60_000), max_size=30))
def test_a_day_of_one_card_never_exceeds_its_limits(amounts: list[int]) -> None:
    """Whatever is asked for one after another, what is allowed stays within sum and count of the day."""
    use = NOTHING_YET
    for amount in amounts:
        if judged(amount, use) is None:
            use = OfflineUse(
                Fen(use.card_day_fen + amount),
                use.card_day_count + 1,
                Fen(use.unsent_fen + amount),
                use.unsent_count + 1,
            )
    assert use.card_day_fen <= 80_000
    assert use.card_day_count <= 3


def test_a_policy_from_the_future_says_that_the_clock_is_behind() -> None:
    """The agency signed it at a moment that our clock has not reached: with money nothing is done by such a clock."""
    early = NOW - timedelta(days=3)
    told = offline_refusal(POLICY, "contribution", Fen(100), NOTHING_YET, TerminalTime(early, early, confirmed=True))
    assert told is OfflineRefusal.CLOCK
