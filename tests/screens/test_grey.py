"""Every state is told without colour: the same pictures in grey, photographed and compared where the state is shown."""

from dataclasses import replace
from itertools import combinations

import pytest
from PIL import Image, ImageChops

from kiosk.domain.card import PinProgress, PinPrompt
from kiosk.ports import Hands, Place, Plain, Question, Tone
from screens import acts
from screens.compose import compose, compose_dark
from screens.moment import Moment
from screens.palette import contrast, rgb
from screens.picture import Drawing, Picture
from screens.theme import Box
from screens.widgets.brush import icon
from tests.screens.judge import panels
from tests.screens.poses import POSES, SIGN, SIZES, Pose
from tests.screens.samples import samples
from tests.screens.studio import photograph

SEEN_LEVELS = 48  # of 255: what an eye tells apart on a bad panel in a bright hall
FILL_CONTRAST_MIN = 3.0  # WCAG 1.4.11, non-text contrast
LOOKS = [pose for pose in POSES if pose.language == "zh" and pose.mode != "large"]
looks = pytest.mark.parametrize("pose", LOOKS, ids=lambda pose: pose.name)


def picture_of(pose: Pose, moment: Moment) -> Picture:
    return compose(moment, pose.theme(), SIGN)


def grey(pose: Pose, picture: Picture) -> Image.Image:
    return photograph(picture, *SIZES[pose.size][:2]).convert("L")


def differing(one: Image.Image, other: Image.Image, box: Box) -> float:
    """Share of the box's pixels that an eye without colour sees change."""
    area = (box.x, box.y, box.right, box.bottom)
    change = ImageChops.difference(one.crop(area), other.crop(area)).point(lambda level: level >= SEEN_LEVELS and 255)
    return sum(change.histogram()[1:]) / (box.w * box.h)


def fill_of(picture: Picture, act: str) -> str:
    return next(panel.fill for panel in panels(picture) if panel.target == act)


@looks
def test_a_tile_that_is_not_available(pose: Pose) -> None:
    """A word more and another ground than the same tile when it is available."""
    menu = samples()["menu"]
    bill = next(answer for answer in menu.answers if answer.unavailable)
    opened = replace(menu, answers=tuple(replace(one, unavailable=None) for one in menu.answers))
    shut_picture, open_picture = (picture_of(pose, pose.moment(question)) for question in (menu, opened))
    target = shut_picture.target(acts.of_answer(bill.value))
    assert target is not None
    shut, open_ = grey(pose, shut_picture), grey(pose, open_picture)
    assert differing(shut, open_, target.box) > 0.01
    assert len([one for one in shut_picture.items if getattr(one, "words", "") == "暂不能用"]) == 1


@looks
def test_main_second_and_back_answers(pose: Pose) -> None:
    """The main answer is filled, the others are outlined: black and white apart, on every tone."""
    for tone in Tone:
        picture = picture_of(pose, pose.moment(replace(samples()["which_pin"], tone=tone, body=Plain())))
        main, back = (fill_of(picture, acts.of_answer(value)) for value in ("ssc", "back"))
        assert contrast(main, back) >= FILL_CONTRAST_MIN


@looks
def test_tones_differ_by_their_shape(pose: Pose) -> None:
    """Done, caution, stop and hands, on the same page: each pair of marks differs in grey, and so does none at all."""
    plain = samples()["changed"]
    pictures = {tone: picture_of(pose, pose.moment(replace(plain, tone=tone))) for tone in Tone}
    mark = next(item.box for item in pictures[Tone.DONE].items if isinstance(item, Drawing) and item.name == "done")
    shots = {tone: grey(pose, picture) for tone, picture in pictures.items()}
    for one, other in combinations(Tone, 2):
        assert differing(shots[one], shots[other], mark) > 0.1, (one, other)


@looks
def test_what_is_chosen_in_the_care_bar(pose: Pose) -> None:
    """Large, speak and contrast turn from white to black when they are on."""
    for act, field in ((acts.LARGE, "large"), (acts.SPEAK, "spoken"), (acts.CONTRAST, "contrast")):
        moment = pose.moment(samples()["menu"])
        on, off = (
            picture_of(pose, moment.changed(preferences=replace(moment.preferences, **{field: state})))
            for state in (True, False)
        )
        assert contrast(fill_of(on, act), fill_of(off, act)) >= FILL_CONTRAST_MIN, act


@looks
def test_languages_differ_by_their_words(pose: Pose) -> None:
    """The glass itself tells its language: every word of the care bar but the switch is another."""
    moment = pose.moment(samples()["menu"])
    english = moment.changed(preferences=replace(moment.preferences, language="en"))
    zh, en = ({getattr(item, "words", "") for item in picture_of(pose, one).items} for one in (moment, english))
    assert {word for word in zh & en if word and not word[0].isdigit()} == {"中/EN"}


@looks
def test_a_typed_digit_is_a_filled_ring(pose: Pose) -> None:
    """A third of its square and more turns with the digit."""
    moment = pose.moment(samples()["pin"])
    empty, typed = (
        picture_of(pose, moment.changed(progress=PinProgress(PinPrompt.CURRENT, count))) for count in (0, 1)
    )
    ring = next(item.box for item in typed.items if isinstance(item, Drawing) and item.name == "digit_typed")
    assert differing(grey(pose, empty), grey(pose, typed), ring) > 0.33


@looks
def test_waiting_moves_without_colour(pose: Pose) -> None:
    """One dot of three is filled, and another one a moment later."""
    moment = pose.moment(samples()["waiting"])
    first, second = (picture_of(pose, moment.changed(step=step)) for step in (0, 1))
    dots = [item.box for item in first.items if isinstance(item, Drawing) and item.name.startswith("digit_")]
    shots = [grey(pose, picture) for picture in (first, second)]
    assert [differing(*shots, dot) > 0.3 for dot in dots] == [True, True, False]


@looks
@pytest.mark.parametrize("place", Place)
def test_the_lit_place_of_the_front(pose: Pose, place: Place) -> None:
    """The slot, pad or outlet that hands go to is ringed in black; the others are not."""
    elsewhere = Place.PIN_PAD if place is not Place.PIN_PAD else Place.CARD_SLOT
    lit, other = (
        picture_of(pose, pose.moment(Question("hands", samples()["take"].heading, body=Hands((one,)))))
        for one in (place, elsewhere)
    )
    (part,) = [panel.box for panel in panels(lit) if panel.fill == "#FFC247" and panel.box.w < pose.theme().width // 2]
    assert differing(grey(pose, lit), grey(pose, other), part.inset(-6)) > 0.05


@looks
def test_pressed_and_focused_targets(pose: Pose) -> None:
    """A press changes fill or outline by as much as an eye sees; the focus is a ring around the target."""
    moment = pose.moment(samples()["menu"])
    act = acts.of_answer("query")
    plain, focused = (picture_of(pose, one) for one in (moment, moment.changed(focus=act)))
    target = plain.target(act)
    assert target is not None
    assert differing(grey(pose, plain), grey(pose, focused), target.box.inset(-9)) > 0.01
    for panel in panels(plain):
        if panel.down and panel.fill == panel.down[0]:
            assert panel.down[1] > panel.outline_px, panel.target


def test_a_dark_glass_is_dark() -> None:
    """Nineteen parts in twenty of the dark glass are nearly black, above the one button."""
    pose = POSES[0]
    moment = pose.moment(samples()["balance"])
    shot = grey(pose, compose_dark(moment, replace(pose, mode="contrast").theme()))
    above = shot.crop((0, 0, shot.width, pose.theme().zones.act.y))
    assert sum(above.histogram()[:SEEN_LEVELS]) > 0.95 * above.width * above.height


def test_a_state_told_by_colour_alone_would_be_seen_here() -> None:
    """Red and green of one lightness are one grey: the measure above calls them the same."""
    box = Box(0, 0, 10, 10)
    red, green = (Image.new("RGB", (10, 10), colour).convert("L") for colour in ("#A61B1B", "#1B4F1B"))
    assert differing(red, green, box) == 0
    assert contrast("#A61B1B", "#0B6B5B") < FILL_CONTRAST_MIN


@pytest.mark.parametrize("side", [80, 112])
def test_the_triangles_ground_stays_within_its_outline(side: int) -> None:
    """The rim is ink all around: amber beyond it stood as two dots below the corners."""
    ink, amber = rgb("#13212B"), rgb("#FFC247")
    pixels = icon("caution", side, "#13212B", "#FFC247")
    for top in range(0, len(pixels), side * 4):
        row = [pixels[at : at + 4] for at in range(top, top + side * 4, 4)]
        seen = [pixel for pixel in row if pixel[3] > 40]
        for red, *_ in (seen[:1] + seen[-1:]) if seen else []:
            assert abs(red / 255 - ink[0]) < abs(red / 255 - amber[0])
