"""Codecs under noise: an answer is understood, or it is unknown; nothing else ever comes out."""

import copy
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.account import Insurance, InsuranceState
from kiosk.domain.card import CardIdentity, CardState, Holder, Sex
from kiosk.domain.certificate import CertificateKind
from kiosk.domain.entries import Word
from kiosk.hosts.agency.client import AgencyDutyClient
from kiosk.hosts.card_platform import codec as platform
from kiosk.hosts.card_platform.client import CardPlatformClient
from kiosk.hosts.seal.wire import Order, packed, unpacked, verdict_from
from kiosk.hosts.shape import BadShape
from kiosk.hosts.social_insurance import codec as insurance
from kiosk.hosts.social_insurance.client import SocialInsuranceClient
from kiosk.ports import HostAnswer, OutcomeUnknown
from simulators.hosts.ledger import overview_of
from simulators.worlds.world import load_world
from tests.hosts.conftest import WORLDS

CARD = CardIdentity(bytes(16), "Y00000009", "2.00", None, None, bytes(range(17)))
HOLDER = Holder("陈𠮷", "990001197606060283", Sex.FEMALE, "01", None)
GOOD_OVERVIEW = overview_of(load_world(WORLDS / "tiny.toml").resident("chen_ji"), 13)
GOOD_CERTIFICATE = {
    "number": "YK-20261121-000001",
    "kind": "insurance_certificate",
    "issued_on": "2026-11-21",
    "valid_until": None,
    "verify_at": "https://example.invalid/verify/YK-20261121-000001?code=1",
    "sha256": "0" * 64,
}

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.decimals(allow_nan=False)
NOISE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)


class Parrot:
    """A link that answers every question with the same body."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self._answer = HostAnswer(status, body)

    async def call(
        self, method: str, path: str, *, body: Any = None, key: str = "", deadline_s: float | None = None
    ) -> HostAnswer:
        return self._answer

    async def fetch(self, path: str, *, bytes_max: int, deadline_s: float | None = None) -> bytes:
        return b"%PDF-"


VERBS: dict[str, Callable[[Parrot], Awaitable[object]]] = {
    "overview": lambda link: SocialInsuranceClient(link).overview(CARD, HOLDER),
    "certificate": lambda link: SocialInsuranceClient(link).issue_certificate(
        CARD, HOLDER, CertificateKind.INSURANCE, "key-0001"
    ),
    "state": lambda link: CardPlatformClient(link).card_state(CARD),
    "internal": lambda link: CardPlatformClient(link).internal_authentication_ok(CARD, bytes(16), bytes(16)),
    "external": lambda link: CardPlatformClient(link).external_authentication(CARD, bytes(8)),
    "duty": lambda link: AgencyDutyClient(link).call_staff("hall", "menu", "482913", "test"),
}


@pytest.mark.parametrize("verb", VERBS)
@given(noise=NOISE)
def test_noise_is_unknown(verb: str, noise: Any) -> None:
    """A client that is answered with noise raises OutcomeUnknown, whatever the noise is."""
    with pytest.raises(OutcomeUnknown):
        trio.run(VERBS[verb], Parrot(noise))


@given(data=st.data())
def test_damaged_overview_is_understood_or_refused(data: st.DataObject) -> None:
    """One damaged place in a good answer gives values of the right types or BadShape, never another exception."""
    damaged = copy.deepcopy(GOOD_OVERVIEW)
    part: Any = damaged
    while isinstance(part, dict | list) and part:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        place = data.draw(st.sampled_from(keys))
        if not isinstance(part[place], dict | list) or data.draw(st.booleans()):
            part[place] = data.draw(NOISE)
            break
        part = part[place]
    try:
        understood = insurance.overview(damaged)
    except BadShape as refusal:
        assert "990001" not in str(refusal)
    else:
        assert all(isinstance(one.base_fen, int) for one in understood.contributions)


def test_overview_is_what_was_sent() -> None:
    """Nothing is lost, changed or reordered wrongly between the agency's answer and the values."""
    understood = insurance.overview(GOOD_OVERVIEW)
    assert len(understood.contributions) == len(GOOD_OVERVIEW["contributions"])
    for value, sent in zip(understood.contributions, GOOD_OVERVIEW["contributions"], strict=True):
        assert (value.month, value.insurance.value, value.base_fen) == (
            sent["month"],
            sent["insurance"],
            sent["base_fen"],
        )


def test_new_words_of_a_host_do_no_harm() -> None:
    """An unknown state is UNKNOWN, a sixth insurance and unknown fields are passed over."""
    body = copy.deepcopy(GOOD_OVERVIEW)
    body["insurances"][0]["state"] = "under_review"
    body["insurances"].append(
        {"insurance": "long_term_care", "state": "in_force", "since": None, "contributed_months": 1}
    )
    body["news"] = "hello"
    understood = insurance.overview(body)
    assert [one.insurance for one in understood.insurances] == list(Insurance)
    assert understood.insurances[0].state is InsuranceState.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"number": "../../etc/passwd"},
        {"number": "YK 1"},
        {"kind": "rights_record"},
        {"sha256": "1" * 64},
        {"verify_at": "http://example.invalid"},
        {"verify_at": "https://example.invalid/\n"},
    ],
)
def test_certificates_that_differ_are_refused(change: dict[str, str]) -> None:
    """A number that is no path segment, another kind, another hash and an address without TLS are not accepted."""
    with pytest.raises(OutcomeUnknown):
        trio.run(VERBS["certificate"], Parrot({**GOOD_CERTIFICATE, **change}))


@given(code=st.text(max_size=8))
def test_card_codes_outside_the_map_are_unknown(code: str) -> None:
    """No code but those of the region's map ever means a state."""
    state = platform.card_state({"state_code": code}, platform.DEFAULT_STATES)
    assert (state is CardState.UNKNOWN) == (code not in platform.DEFAULT_STATES)


def test_regional_map_comes_from_settings() -> None:
    """A region's map replaces the built-in one as a whole, and a misspelt state is an error at start."""
    hunan = {"0": "sealed", "1": "normal", "2": "lost", "4": "temporarily_lost", "9": "cancelled"}
    states = platform.states_from_settings(hunan)
    assert platform.card_state({"state_code": "0"}, states) is CardState.SEALED
    assert platform.card_state({"state_code": "B"}, states) is CardState.UNKNOWN
    assert platform.states_from_settings({}) is platform.DEFAULT_STATES
    with pytest.raises(ValueError, match="gone"):
        platform.states_from_settings({"1": "gone"})


@given(status=st.integers(100, 599))
def test_notice_is_done_only_when_booked(status: int) -> None:
    """Only 200, 201 and 204 close a notice; "accepted, perhaps" does not."""
    link = Parrot(None, status)
    if status in (200, 201, 204):
        trio.run(CardPlatformClient(link).notice_pin_changed, "Y00000009", "2026-11-21T10:00:00+08:00", "key-0001")
    else:
        with pytest.raises(OutcomeUnknown):
            trio.run(CardPlatformClient(link).notice_pin_changed, "Y00000009", "2026-11-21T10:00:00+08:00", "key-0001")


KEYS = st.lists(st.text("abc123-", min_size=4, max_size=8), min_size=1, max_size=6, unique=True)


@given(
    keys=KEYS,
    words=st.lists(st.sampled_from(list(Word)), min_size=6, max_size=6),
    wait_s=st.integers(0, 86_400),
    order=st.randoms(),
)
def test_each_notice_of_a_batch_has_its_own_result(keys: list[str], words: list[Word], wait_s: int, order: Any) -> None:
    """In any order: for each key what the platform said of it, and when it wants to hear of it again."""
    told = [{"key": key, "result": word.value, "retry_after_s": wait_s} for key, word in zip(keys, words, strict=False)]
    order.shuffle(told)
    results = {one.key: one for one in platform.pin_change_results({"results": told}, keys)}
    assert {key: one.word for key, one in results.items()} == dict(zip(keys, words, strict=False))
    assert {one.retry_after_s for one in results.values()} == {wait_s}


@given(keys=KEYS, drop=st.booleans(), more=st.sampled_from(["twice", "stranger", "garbled", "impatient"]))
def test_a_batch_without_one_result_for_each_is_unknown(keys: list[str], drop: bool, more: str) -> None:
    """A key too few, too many, of a stranger, a word or a time out of the document: nothing of it counts."""
    told: list[dict[str, Any]] = [{"key": key, "result": "done"} for key in keys]
    if drop:
        told.pop()
    elif more == "twice":
        told.append(told[0])
    elif more == "stranger":
        told[0] = {**told[0], "key": "of-somebody-else"}
    elif more == "garbled":
        told[0] = {**told[0], "result": "perhaps"}
    else:
        told[0] = {**told[0], "retry_after_s": 86_401}
    with pytest.raises(BadShape):
        platform.pin_change_results({"results": told}, keys)


@given(pdf=st.binary(max_size=200))
def test_seal_order_round_trip(pdf: bytes) -> None:
    """An order and its document arrive in the checking process as they were sent."""
    from kiosk.domain.certificate import SealExpectation

    expected = SealExpectation("990001197606060283", CertificateKind.BENEFIT, "YK-1", date(2026, 11, 21))
    order = Order(anchors="/anchors", time_tolerance_s=300, cpu_s_max=20, expected=expected)
    assert unpacked(packed(order, pdf)) == (order, pdf)


@given(noise=st.binary(max_size=200))
def test_seal_wire_refuses_noise(noise: bytes) -> None:
    """Noise on either pipe is a ValueError."""
    with pytest.raises(ValueError):
        unpacked(noise)
    with pytest.raises(ValueError):
        verdict_from(noise)
