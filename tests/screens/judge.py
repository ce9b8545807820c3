"""What must be true of every picture, as rules that say what is wrong. No rule knows a page by its name.

Sizes are millimetres on the glass, from ui-direction 2 to 4; ``test_judge`` plants a fault for each rule.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations

from screens import acts
from screens.lines import NO_START
from screens.palette import contrast
from screens.picture import Drawing, Item, Panel, Picture, Words
from screens.sheet import HAN, LATIN_SHARE
from screens.theme import EM_MIN_MM, Box, Theme

TARGET_MM_MIN = 15.0
MAIN_MM_MIN = 17.0
BETWEEN_MM_MIN = 3.0
OPPOSITE_PX_MIN = 24  # between go back and go on, which also differ in their fill
CONTRAST_MIN = 7.0
RING_MM_MIN = EM_MIN_MM  # one digit of a PIN
STARS_MM_MIN = 24.0  # prompt above rings, and air around both
HANDS_MM_MIN = 24.0
SIGN_MM_MIN = 15.0  # the thing and its arrow
FIELD_MM_MIN = 9.0  # a number as it is typed
ROUND_PX = 1  # boxes are whole pixels

Rule = Callable[[Theme, Picture], Iterator[str]]


def complaints(theme: Theme, picture: Picture) -> list[str]:
    """Everything that is wrong with the picture."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(theme, picture)]


def large_enough(theme: Theme, picture: Picture) -> Iterator[str]:
    for target in picture.targets:
        least = MAIN_MM_MIN if target.main else TARGET_MM_MIN
        if min(target.box.w, target.box.h) * theme.mm_per_px < least:
            yield f"{target.act} is {min(target.box.w, target.box.h) * theme.mm_per_px:.1f} mm"


def in_reach(theme: Theme, picture: Picture) -> Iterator[str]:
    for target in picture.targets:
        if target.box.y < theme.touch_top or not inside(target.box, glass(theme)):
            yield f"{target.act} at {target.box}"


def apart(theme: Theme, picture: Picture) -> Iterator[str]:
    for one, other in combinations(picture.targets, 2):
        between = max(*gaps(one.box, other.box)) * theme.mm_per_px
        if between < BETWEEN_MM_MIN:
            yield f"{one.act} and {other.act} are {between:.1f} mm apart"


def opposites_differ(theme: Theme, picture: Picture) -> Iterator[str]:
    """Beside the main answer nothing else is filled like it, nor nearer than 24 px."""
    fills = {panel.target: panel.fill for panel in panels(picture) if panel.target}
    mains = [target for target in picture.targets if target.main]
    for main in mains:
        for other in picture.targets:
            if other.main or acts.answered(other.act) is None:
                continue
            if fills[main.act] == fills[other.act]:
                yield f"{main.act} and {other.act} have one fill"
            if max(*gaps(main.box, other.box)) < OPPOSITE_PX_MIN and same_row(main.box, other.box):
                yield f"{main.act} and {other.act} are neighbours"


def text_is_large(theme: Theme, picture: Picture) -> Iterator[str]:
    for words in said(picture):
        if words.size * theme.mm_per_px < EM_MIN_MM:
            yield f"{words.words!r} is {words.size * theme.mm_per_px:.1f} mm"


def text_is_dark(theme: Theme, picture: Picture) -> Iterator[str]:
    downs = {panel.target: panel.down[0] for panel in panels(picture) if panel.down}
    for words in said(picture):
        under = under_it(picture, words)
        if words.ground != (under.fill if under else picture.ground):
            yield f"{words.words!r} does not stand on {words.ground}"
        if contrast(words.colour, words.ground) < CONTRAST_MIN:
            yield f"{words.words!r} has contrast {contrast(words.colour, words.ground):.1f}"
        if words.target and contrast(words.down_colour, downs[words.target]) < CONTRAST_MIN:
            yield f"{words.words!r} is hard to read while pressed"


def lines_are_short(theme: Theme, picture: Picture) -> Iterator[str]:
    for words in said(picture):
        ems = theme.line_chars if HAN.search(words.words) else theme.line_chars * LATIN_SHARE
        if words.box.w > words.size * ems + ROUND_PX:
            yield f"{words.words!r} is {words.box.w / words.size:.1f} ems long"
        if words.words[:1] in NO_START:
            yield f"{words.words!r} begins badly"


def words_stand_whole(theme: Theme, picture: Picture) -> Iterator[str]:
    """On the glass, and inside the card, field or button that they stand on."""
    for words in said(picture):
        under = under_it(picture, words)
        room = under.box if under else glass(theme)
        if not inside(ink(words), room):
            yield f"{words.words!r} leaves its ground"


def words_are_apart(theme: Theme, picture: Picture) -> Iterator[str]:
    for one, other in combinations(said(picture), 2):
        if overlap(ink(one), ink(other)):
            yield f"{one.words!r} and {other.words!r} overlap"


def words_keep_to_their_target(theme: Theme, picture: Picture) -> Iterator[str]:
    boxes = {target.act: target.box for target in picture.targets}
    for words in said(picture):
        if words.target and not inside(ink(words), boxes[words.target]):
            yield f"{words.words!r} leaves {words.target}"
        if not words.target and any(overlap(ink(words), box) for box in boxes.values()):
            yield f"{words.words!r} stands on something to touch"


def nothing_is_covered(theme: Theme, picture: Picture) -> Iterator[str]:
    """No card is drawn over words, and no picture touches words or another picture."""
    for index, item in enumerate(picture.items):
        for later in picture.items[index + 1 :]:
            if isinstance(item, Words) and item.words and isinstance(later, Panel) and overlap(ink(item), later.box):
                yield f"{item.words!r} is covered"
            if isinstance(item, Drawing) and isinstance(later, Drawing) and overlap(item.box, later.box):
                yield f"{item.name} and {later.name} overlap"
    for drawing in drawings(picture):
        for words in said(picture):
            if overlap(drawing.box, ink(words)):
                yield f"{words.words!r} and {drawing.name} overlap"


def cards_are_whole(theme: Theme, picture: Picture) -> Iterator[str]:
    """Of two panels one holds the other or they are apart; pictures stand on the glass and inside their panel."""
    for one, other in combinations(panels(picture), 2):
        nested = inside(one.box, other.box) or inside(other.box, one.box)
        if overlap(one.box, other.box) and not nested:
            yield f"{one.box} cuts {other.box}"
    for drawing in drawings(picture):
        under = under_it(picture, drawing)
        if not inside(drawing.box, under.box if under else glass(theme)):
            yield f"{drawing.name} leaves its ground"


def zones_are_kept(theme: Theme, picture: Picture) -> Iterator[str]:
    """What cannot be touched ends above the act zone."""
    zones = theme.zones
    for item in picture.items:
        free = not item.target and item.box.y < zones.care.y and item.box.h < theme.height // 2 + zones.work.h
        if free and item.box != zones.care and box_of(item).bottom > zones.act.y:
            yield f"{item} reaches into the act zone"


def bodies_have_their_room(theme: Theme, picture: Picture) -> Iterator[str]:
    """Rings, fields, signs and their cards are as large as they must be to be used, however long the text is."""
    for name, box, least in needs(theme, picture):
        if min(box.w, box.h) * theme.mm_per_px < least:
            yield f"{name} has {min(box.w, box.h) * theme.mm_per_px:.1f} mm, needs {least:.1f}"


def needs(theme: Theme, picture: Picture) -> Iterator[tuple[str, Box, float]]:
    """What of the picture has a least size: its name, its box, the least side in mm."""
    rings = [one for one in drawings(picture) if one.name in ("digit_open", "digit_typed")]
    for ring in rings:
        under = under_it(picture, ring)
        if under is not None:  # dots of a waiting page stand on the paper
            yield "a ring", ring.box, RING_MM_MIN
            yield "the stars", under.box, STARS_MM_MIN
    for arrow in (one for one in drawings(picture) if one.name in ("arrow_up", "arrow_down")):
        yield "an arrow", arrow.box, SIGN_MM_MIN
        under = under_it(picture, arrow)
        assert under is not None, "an arrow stands on the hands panel"
        yield "the hands", under.box, HANDS_MM_MIN
    if picture.target(acts.CLEAR_DIGIT):
        fields = [one for one in panels(picture) if not one.target and one.outline and one.box.h < theme.height // 4]
        yield from (("the field", field.box, FIELD_MM_MIN) for field in fields)
        assert fields, "a number is typed into a field"


RULES: tuple[Rule, ...] = (
    large_enough,
    in_reach,
    apart,
    opposites_differ,
    text_is_large,
    text_is_dark,
    lines_are_short,
    words_stand_whole,
    words_are_apart,
    words_keep_to_their_target,
    nothing_is_covered,
    cards_are_whole,
    zones_are_kept,
    bodies_have_their_room,
)


# --- what the rules look at ---


def glass(theme: Theme) -> Box:
    return Box(0, 0, theme.width, theme.height)


@lru_cache(maxsize=4)
def said(picture: Picture) -> list[Words]:
    return [item for item in picture.items if isinstance(item, Words) and item.words]


@lru_cache(maxsize=4)
def panels(picture: Picture) -> list[Panel]:
    return [item for item in picture.items if isinstance(item, Panel)]


@lru_cache(maxsize=4)
def drawings(picture: Picture) -> list[Drawing]:
    return [item for item in picture.items if isinstance(item, Drawing)]


def under_it(picture: Picture, item: Item) -> Panel | None:
    """The last panel drawn under the middle of the item; None is the paper."""
    middle = (item.box.x + item.box.w // 2, item.box.y + item.box.h // 2)
    before = picture.items[: picture.items.index(item)]
    found = [one for one in before if isinstance(one, Panel) and one.box.contains(*middle)]
    return found[-1] if found else None


def box_of(item: Item) -> Box:
    return ink(item) if isinstance(item, Words) else item.box


def ink(words: Words) -> Box:
    """The em box of the line: its line height may be larger than what is drawn."""
    return Box(words.box.x, words.box.y + (words.box.h - words.size) // 2, words.box.w, words.size)


def gaps(one: Box, other: Box) -> tuple[int, int]:
    return max(one.x - other.right, other.x - one.right), max(one.y - other.bottom, other.y - one.bottom)


def same_row(one: Box, other: Box) -> bool:
    return gaps(one, other)[1] < 0


def overlap(one: Box, other: Box) -> bool:
    return max(*gaps(one, other)) < 0


def inside(box: Box, outer: Box) -> bool:
    return box.x >= outer.x and box.y >= outer.y and box.right <= outer.right and box.bottom <= outer.bottom
