"""The sheet itself: every character has its glyph, and one page is enough."""

import io
import json
import logging
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader

from simulators.hosts.fonts import cut_fonts
from simulators.hosts.paper import CONTENT_FILE, TITLES, characters_of, compose, draw_seal
from simulators.hosts.sheet import Sheet
from simulators.worlds.world import load_world
from tests.hosts.conftest import WORLDS

DEMO = load_world(WORLDS / "demo.toml")


@pytest.fixture(scope="module")
def faces(fonts: Path) -> list[Path]:
    return cut_fonts(fonts, characters_of(DEMO.residents))


@pytest.mark.parametrize("kind", TITLES)
def test_every_resident_fits_on_the_page(kind: str, faces: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    """For everybody in the demo world the sheet is one page with the name as text, and no glyph is missing."""
    caplog.set_level(logging.WARNING, logger="fpdf")
    for resident in DEMO.residents:
        sheet = Sheet(
            kind, "YK-20261121-000001", "0" * 16, resident, date(2026, 11, 21), None, "https://127.0.0.1/verify/x"
        )
        reader = PdfReader(io.BytesIO(compose(sheet, faces)))
        assert len(reader.pages) == 1
        assert resident.name in reader.pages[0].extract_text()
        twin = json.loads(reader.attachments[CONTENT_FILE][0])
        assert (twin["holder_number"], twin["kind"]) == (resident.number, kind)
    assert caplog.records == []


def test_seal_says_that_it_is_a_test(faces: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    """The sandbox's seal can be mistaken for nobody's: it carries TEST."""
    caplog.set_level(logging.WARNING, logger="fpdf")
    assert "TEST" in PdfReader(io.BytesIO(draw_seal(faces))).pages[0].extract_text()
    assert caplog.records == []


def test_fonts_are_cut_once(faces: list[Path], fonts: Path) -> None:
    """The same characters find the same files; others are cut beside them."""
    times = [face.stat().st_mtime_ns for face in faces]
    again = cut_fonts(fonts, characters_of(DEMO.residents))
    assert again == faces
    assert [face.stat().st_mtime_ns for face in again] == times
