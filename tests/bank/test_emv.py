"""The terminal's half of a chip payment against the simulated card, and against cards that lie."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import debit_card, emv_risk
from drivers.apdu import emv_tlv as tlv
from drivers.apdu.emv_script import run_scripts
from kiosk.domain.money import Fen
from kiosk.ports.debit import CaKey, CardDeclined, DebitAct, DebitRules
from simulators.cards import bank_keys
from simulators.cards.card import VirtualCard
from simulators.worlds.world import BankAccount
from tests.bank.stand import CARD_RULES, PAN, account, card_of, run_job
from tests.bank.test_codec import failure_of

ACT = DebitAct(0x00, Fen(12345), "000042", "261121", "101112", bytes.fromhex("01020304"))
tags = st.sampled_from(["9F02", "5A", "95", "9F37", "DF31", "5F2A", "9F10"])


class EndOfAnswers(Exception):
    """The test has no more noise to give."""


def opened(card: VirtualCard, rules: DebitRules = CARD_RULES, act: DebitAct = ACT) -> debit_card.DebitState:
    state = run_job(debit_card.open_application(rules, act), card.transmit)
    assert isinstance(state, debit_card.DebitState)
    return state


def proof(card: VirtualCard, code: str = "00") -> bytes:
    """What the issuer would answer to this card's ARQC."""
    assert card.debit
    moment = card.debit._moment
    arpc = bank_keys.arpc(moment.session, moment.cryptogram, code.encode())
    return tlv.encode("91", arpc + code.encode())


@pytest.mark.parametrize("spec", ["2.00", "3.00"])
@pytest.mark.parametrize("issuer_proof", ["external", "second_ac"])
@pytest.mark.parametrize("authentication", ["dda", "sda", "none"])
def test_every_kind_of_card_makes_a_tc_of_an_approval(authentication: str, issuer_proof: str, spec: str) -> None:
    """Format 80 and 77, T=0 and T=1, static and dynamic data, both ways of issuer authentication."""
    card = card_of(account(authentication=authentication, issuer_proof=issuer_proof), spec=spec)
    state = opened(card)
    assert debit_card.account_of(state).pan == PAN
    assert state.results.tvr[0] == (0x80 if authentication == "none" else 0)
    chip = tlv.decode(run_job(debit_card.first_cryptogram(state), card.transmit))
    assert list(chip) == list(debit_card.REQUEST_TAGS)
    assert (chip["9F27"], chip["9F02"], chip["9F34"][:2]) == (b"\x80", bytes.fromhex("000000012345"), b"\x42\x03")
    end = run_job(debit_card.finish(state, "00", proof(card)), card.transmit)
    assert end.approved and not end.notice_chip


def test_an_approval_without_the_issuers_proof_is_no_approval() -> None:
    """A card believes only 91; a forged or missing one makes an AAC, and the TVR says so."""
    for chip in (b"", tlv.encode("91", bytes(8) + b"00")):
        card = card_of(account())
        state = opened(card)
        run_job(debit_card.first_cryptogram(state), card.transmit)
        end = run_job(debit_card.finish(state, "00", chip), card.transmit)
        assert not end.approved
        assert bool(state.results.tvr[4] & 0x40) is bool(chip)


@pytest.mark.parametrize("code", ["51", "05", "10", "Z3"])
def test_a_refusal_never_becomes_a_tc(code: str) -> None:
    """Also a partial approval: it will be reversed, so the card must not have approved."""
    card = card_of(account())
    state = opened(card)
    run_job(debit_card.first_cryptogram(state), card.transmit)
    assert not run_job(debit_card.finish(state, code, proof(card, code)), card.transmit).approved


@pytest.mark.parametrize("authentication", ["dda", "sda"])
@pytest.mark.parametrize(
    "rules",
    [
        replace(CARD_RULES, ca_keys=()),
        replace(CARD_RULES, ca_keys=(CaKey("A000000333", 0xF1, bank_keys.issuer_rsa().modulus_bytes, 3),)),
        replace(CARD_RULES, ca_keys=(replace(CARD_RULES.ca_keys[0], expires="250101"),)),
        replace(CARD_RULES, revoked=frozenset({("A000000333", 0xF1, "000001")})),
    ],
    ids=["no key", "another key", "key expired", "issuer revoked"],
)
def test_offline_authentication_fails_where_it_must(rules: DebitRules, authentication: str) -> None:
    """The failure is marked in the TVR, the payment still goes online, and the issuer sees the mark."""
    card = card_of(account(authentication=authentication))
    state = opened(card, rules)
    assert state.results.tvr[0] == (0x08 if authentication == "dda" else 0x40)
    chip = tlv.decode(run_job(debit_card.first_cryptogram(state), card.transmit))
    assert chip["95"][0] == state.results.tvr[0]


@pytest.mark.parametrize("authentication", ["dda", "sda"])
def test_one_changed_byte_of_signed_data_is_found(authentication: str) -> None:
    """A card whose expiry date was changed fails its own certificate or signature."""

    def transmit(apdu: bytes) -> bytes:
        answer = card.transmit(apdu)
        return answer.replace(bytes.fromhex("5F2403351228"), bytes.fromhex("5F2403361228"))

    card = card_of(account(authentication=authentication))
    state = run_job(debit_card.open_application(CARD_RULES, ACT), transmit)
    assert state.results.tvr[0] in (0x08, 0x40)


def test_an_expired_card_is_marked() -> None:
    """Dates compare by day; the action codes then decide."""
    state = opened(card_of(account(expires="2001", authentication="none")))
    assert state.results.tvr[1] & 0x40


def test_dates_are_judged_on_both_sides() -> None:
    """Before its first day a card is not yet good; after its last one its certificates are not either."""
    assert opened(card_of(account()), act=replace(ACT, day="180101")).results.tvr[1] & 0x20
    late = opened(card_of(account()), act=replace(ACT, day="360201"))
    assert late.results.tvr[0] & 0x08 and late.results.tvr[1] & 0x40


def test_a_card_that_may_not_pay_for_goods_is_declined() -> None:
    """Usage control without goods or services: not allowed, and denied by the terminal's own code."""

    def transmit(apdu: bytes) -> bytes:
        return card.transmit(apdu).replace(bytes.fromhex("9F0702FF00"), bytes.fromhex("9F07020100"))

    card = card_of(account(authentication="none"))
    state = run_job(debit_card.open_application(CARD_RULES, ACT), transmit)
    assert state.results.tvr[1] & 0x10
    with pytest.raises(CardDeclined, match="terminal_declines"):
        run_job(debit_card.first_cryptogram(state), transmit)


def test_a_card_that_says_two_things_is_malformed() -> None:
    """The same tag twice with different values ends the payment (EMV Book 3, 10.2)."""

    def transmit(apdu: bytes) -> bytes:
        name = bytes.fromhex("5F200B") + b"TEST HOLDER"
        return card.transmit(apdu).replace(name, bytes.fromhex("5F2403351129DF01050000000000"))

    card = card_of(account(authentication="none"))
    with pytest.raises(CardDeclined, match="malformed"):
        run_job(debit_card.open_application(CARD_RULES, ACT), transmit)


def test_a_card_without_online_pin_is_declined_by_the_terminal() -> None:
    """Cardholder verification is online PIN or nothing."""

    def transmit(apdu: bytes) -> bytes:
        return card.transmit(apdu).replace(bytes.fromhex("42030200"), bytes.fromhex("1E031F00"))

    card = card_of(account(authentication="none"))
    state = run_job(debit_card.open_application(CARD_RULES, ACT), transmit)
    with pytest.raises(CardDeclined, match="terminal_declines"):
        run_job(debit_card.first_cryptogram(state), transmit)


def test_the_floor_limit_is_zero() -> None:
    """Every amount goes online, one fen too."""
    card = card_of(account())
    state = opened(card, act=replace(ACT, amount_fen=Fen(1)))
    run_job(debit_card.first_cryptogram(state), card.transmit)
    assert state.results.tvr[3] & 0x80


def test_a_card_without_or_with_a_blocked_application_is_refused() -> None:
    """Before any PIN is asked."""
    with pytest.raises(CardDeclined, match="blocked"):
        opened(card_of(account(blocked=True)))
    with pytest.raises(CardDeclined, match="no_application"):
        opened(card_of(account()), replace(CARD_RULES, aids=("A000000333010102",)))


def test_the_social_security_side_works_before_and_after() -> None:
    """Selecting SSSE leaves the bank application, and the counter shows one payment each time."""
    card = card_of(account())
    select = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
    for count in (1, 2):
        assert card.transmit(select)[0] == 0x61
        assert card.transmit(bytes.fromhex("00A4020002EF05"))[-2:] == b"\x90\x00"
        state = opened(card)
        run_job(debit_card.first_cryptogram(state), card.transmit)
        assert state.tags["9F36"] == count.to_bytes(2, "big")


@given(st.lists(st.tuples(tags, st.binary(max_size=300)), max_size=8))
def test_tlv_round_trip(items: list[tuple[str, bytes]]) -> None:
    """Order, tags and lengths of one to three bytes survive."""
    assert list(tlv.walk(tlv.encode_all(items))) == items


@given(st.binary(max_size=400))
def test_noise_is_malformed_or_read_but_never_crashes(noise: bytes) -> None:
    """TLV, DOL and scripts out of anything a card or bank may send."""
    scripts = lambda raw: run_job(run_scripts(raw, "72"), lambda apdu: b"\x90\x00")  # noqa: E731 - one of three readers
    for read in (tlv.decode, tlv.parse_dol, scripts):
        assert failure_of(read, noise, tlv.MalformedTlv) in (None, tlv.MalformedTlv)


@given(st.lists(st.tuples(tags, st.integers(0, 20)), max_size=10), st.dictionaries(tags, st.binary(max_size=30)))
def test_a_dol_is_filled_to_its_length(wanted: list[tuple[str, int]], values: dict[str, bytes]) -> None:
    """Whatever is known, a DOL's answer has exactly the length that the card asked for."""
    dol = b"".join(bytes.fromhex(tag) + bytes((length,)) for tag, length in wanted)
    assert tlv.parse_dol(dol) == wanted
    assert len(tlv.fill_dol(dol, values)) == sum(length for _, length in wanted)


@given(st.lists(st.binary(min_size=2, max_size=60), min_size=1, max_size=40))
def test_a_card_that_answers_noise_is_declined_not_a_crash(answers: list[bytes]) -> None:
    """Every step ends in CardDeclined or goes on; bounded by limits on records and pieces."""
    told = [one[:-2] + b"\x90\x00" if index % 3 else one for index, one in enumerate(answers * 20)]

    def transmit(apdu: bytes) -> bytes:
        if not told:
            raise EndOfAnswers
        return told.pop(0)

    def pay(noise: bytes) -> None:
        state = run_job(debit_card.open_application(CARD_RULES, ACT), transmit)
        run_job(debit_card.first_cryptogram(state), transmit)

    assert failure_of(pay, b"", CardDeclined, EndOfAnswers) in (None, CardDeclined, EndOfAnswers)


@given(st.integers(1, 400), st.integers(0, 255), st.integers(0, 40))
def test_a_card_with_one_wrong_byte_never_crashes_the_terminal(at: int, value: int, number: int) -> None:
    """A flipped byte anywhere in any answer: declined, marked or harmless, and no other exception."""
    card, count = card_of(account(authentication="sda")), 0

    def transmit(apdu: bytes) -> bytes:
        nonlocal count
        answer = bytearray(card.transmit(apdu))
        if count == number and len(answer) > 2:
            answer[at % (len(answer) - 2)] = value
        count += 1
        return bytes(answer)

    def pay(noise: bytes) -> None:
        state = run_job(debit_card.open_application(CARD_RULES, ACT), transmit)
        run_job(debit_card.first_cryptogram(state), transmit)
        assert not run_job(debit_card.finish(state, "00", b""), transmit).approved

    assert failure_of(pay, b"", CardDeclined) in (None, CardDeclined)


def test_denial_is_by_card_and_terminal_together() -> None:
    """A bit that either side names in its denial code is enough."""
    results = emv_risk.Results()
    results.mark(emv_risk.EXPIRED)
    assert emv_risk.decide(results, {}, CARD_RULES) is emv_risk.Action.ONLINE
    assert emv_risk.decide(results, {"9F0E": bytes.fromhex("0040000000")}, CARD_RULES) is emv_risk.Action.DENY


def test_world_accounts_are_what_cards_are_made_of() -> None:
    """The PAN has a right check digit and no real issuer's range."""
    one = BankAccount(card="c", pan=PAN)
    assert one.pan.startswith("99") and one.expires == "3512"
