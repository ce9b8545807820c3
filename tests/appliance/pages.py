"""Which page stands on a machine's glass: it is rendered here by the same painter and laid beside what the monitor saw.

The guest draws with another build of Mesa, and the clock of the header goes on; so a page is the one that is meant when
nearly all pixels agree. How far two different pages are apart says the test of this file's own comparison.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageChops

from kiosk.bare import nowhere, page
from kiosk.ports import Preferences, Question
from kiosk.settings.config import Settings
from provisioning.rules.enrolment import read_qr
from screens.compose import compose
from screens.frame.header import Sign
from screens.moment import Moment
from screens.theme import theme
from tests.screens.studio import photograph

OTHER_LEVELS = 48  # of 255, in any colour: more is another pixel, less is another build of the renderer
SHARE_MAX = 0.004  # of all pixels may be others; the clock's digits are a tenth of that
# What a bare terminal may say below its heading, before its fleet is reached and after it was not.
SAID = ("waiting", "no_answer")


def rendered(question: Question, settings: Settings, known: Settings | None = None) -> Image.Image:
    """The page as the painter of this tree draws it, on a glass of the settings' size. ``known``: once the header names
    city and hall."""
    shown, panel = known or nowhere(settings), settings.panel
    moment = Moment(question, Preferences(language=settings.language))
    ground = theme(panel.width_px, panel.height_px, panel.mm_per_px, panel.screen_bottom_mm)
    picture = compose(moment, ground, Sign(shown.city, shown.terminal))
    return photograph(picture, panel.width_px, panel.height_px)


def differing(one: Image.Image, other: Image.Image) -> float:
    """Which share of the pixels differs; 1.0 for two sizes."""
    if one.size != other.size:
        return 1.0
    levels = ImageChops.difference(one, other).split()
    worst = ImageChops.lighter(ImageChops.lighter(levels[0], levels[1]), levels[2])
    return sum(worst.histogram()[OTHER_LEVELS:]) / (one.width * one.height)


def read_code(glass: Image.Image, folder: Path) -> str:
    """What the one QR code on the glass says; "" where there is none."""
    path = folder / "code.png"
    glass.save(path)
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.strip()


def enrolments(code: str) -> Iterable[Question]:
    """The pages of a terminal that nobody knows, with just this code. Raises ValueError: it says something else."""
    serial, fingerprint = read_qr(code)
    for said in SAID:
        yield page({"said": said, "qr": code, "serial": serial, "fingerprint": fingerprint})


def is_enrolment(glass: Image.Image, folder: Path, settings: Settings) -> bool:
    """Whether this is the first page of a bare terminal, whole, with a code that a telephone can read."""
    code = read_code(glass, folder)
    return bool(code) and any(differing(glass, rendered(one, settings)) <= SHARE_MAX for one in enrolments(code))
