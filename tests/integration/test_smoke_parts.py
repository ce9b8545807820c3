"""The smoke run's own judgement: whom it casts, what it sees, hears and reads, and that it can fail."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from fpdf import FPDF

from simulators.smoke.cast import BILLS_TO_PAY, NobodyFits, choose_card_payer, choose_cards, choose_payer
from simulators.smoke.documents import names_holder, pages_of
from simulators.smoke.ears import Ears
from simulators.smoke.glass import Glass, Unexpected
from simulators.smoke.record import CheckFailed, Record
from simulators.worlds.world import World, load_world

WORLDS = Path(__file__).parents[2] / "simulators" / "worlds"
TODAY = date(2026, 11, 21)


def test_only_ordinary_cards_are_cast() -> None:
    """Three different cards of the demo world, each with a PIN, tries, a name, and no special state."""
    cards = choose_cards(load_world(WORLDS / "demo.toml"), 3, TODAY)
    assert len({card.handle for card in cards}) == 3
    assert len({card.spec for card in cards}) == 3  # one of each generation
    for card in cards:
        assert card.pin_state == "set"
        assert card.platform_state == "normal"
        assert card.tries_left > 1


def test_a_world_without_an_ordinary_card_is_said() -> None:
    """An empty world casts nobody."""
    with pytest.raises(NobodyFits):
        choose_cards(World(name="empty", residents=[], cards=[]), 1, TODAY)


def test_a_payer_has_bills_that_no_account_pays() -> None:
    """The demo world has a resident for every bill pass; a world without one casts nobody, and that is no fault."""
    world = load_world(WORLDS / "demo.toml")
    payer = choose_payer(world, TODAY)
    assert payer is not None
    holder = world.resident(payer.resident)
    assert len(holder.bills) >= BILLS_TO_PAY
    assert holder.medical_scheme == "390"
    assert choose_payer(World(name="empty", residents=[], cards=[]), TODAY) is None


def test_a_payer_by_card_has_an_account_that_pays_all_bills() -> None:
    """Another resident than who pays in notes, with enough money and a chip that does not balk."""
    world = load_world(WORLDS / "demo.toml")
    payer = choose_card_payer(world, TODAY)
    assert payer is not None
    assert payer != choose_payer(world, TODAY)
    account = world.bank_account(payer.handle)
    assert account is not None
    assert account.balance_fen >= sum(bill.total_fen for bill in world.resident(payer.resident).bills)
    assert not account.balks


async def test_the_glass_is_read_as_it_changes(tmp_path: Path) -> None:
    """No file, half a file and another question are not the question that is waited for."""
    glass = Glass(tmp_path / "screen.json")
    with pytest.raises(Unexpected, match="nothing stands"):
        await glass.until("menu", limit_s=0.1)
    glass.path.write_text('{"question": "men')
    assert glass.look().question == ""
    glass.path.write_text('{"question": "menu", "answers": {"back": {"box": [10, 20, 100, 50], "key": null}}}')
    assert (await glass.until("menu", limit_s=0.1)).answers["back"].middle == (60, 45)
    with pytest.raises(Unexpected, match="offers no pay"):
        await glass.until_offered("pay", limit_s=0.1)


async def test_closed_eyes_need_words_and_keys(tmp_path: Path) -> None:
    """A question counts as heard by its message ids; an answer without a key cannot be pressed."""
    glass = Glass(tmp_path / "screen.json")
    ears = Ears(tmp_path / "speech.jsonl", glass)
    assert ears.heard() == []
    ears.path.write_text('{"question": "menu", "msgids": ["What?"]}\n{"question": "overview", "msgids": []}\n{"quest')
    assert await ears.hears("menu")
    assert [saying.question for saying in ears.heard()] == ["menu", "overview"]
    glass.path.write_text(
        '{"question": "menu", "answers": {"a": {"box": [0, 0, 1, 1], "key": 2}, "b": {"box": [0, 0, 1, 1]}}}'
    )
    assert await ears.key_of("a") == "2"
    assert await ears.key_of("take_card") == "cancel"
    with pytest.raises(Unexpected, match="no key"):
        await ears.key_of("b")


def test_a_document_is_read_back() -> None:
    """Name and number must both be on the paper."""
    paper = FPDF()
    paper.add_page()
    paper.set_font("helvetica", size=12)
    paper.cell(text="Wang Xiulan  410100 19600101 0021")
    out = BytesIO()
    paper.output(out)
    assert pages_of(out.getvalue()) == 1
    assert names_holder(out.getvalue(), "Wang Xiulan", "410100196001010021")
    assert not names_holder(out.getvalue(), "Wang Xiulan", "410100196001010022")
    assert not names_holder(out.getvalue(), "Li Jianguo", "410100196001010021")


def test_a_bad_verdict_is_a_problem(tmp_path: Path) -> None:
    """A failed check ends the visit, a failed note does not; both are in the line that is printed."""
    record = Record(tmp_path, prefix="B.touch")
    record.note("spoken", holds=True)
    assert '"ok": true' in record.as_line()
    record.note("heard", holds=False)
    with pytest.raises(CheckFailed, match=r"B\.touch\.printed"):
        record.check("printed", holds=False)
    assert '"ok": false' in record.as_line()
    record.keep("paper.txt", b"words")
    assert (tmp_path / "B" / "touch" / "paper.txt").read_bytes() == b"words"
