"""Each rule of the judge can fail: one fault a rule, planted in a good picture, is found by that rule."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from screens import acts
from screens.compose import compose
from screens.picture import Drawing, Item, Panel, Picture, Words
from screens.theme import Box
from tests.screens.judge import RULES, complaints
from tests.screens.poses import POSES, SIGN
from tests.screens.samples import samples

POSE = POSES[0]
THEME = POSE.theme()
Fault = Callable[[Picture], Picture]


def good(name: str) -> Picture:
    return compose(POSE.moment(samples()[name]), THEME, SIGN)


def item(picture: Picture, change: Callable[[Item], Item | None]) -> Picture:
    """The first item that ``change`` changes."""
    for index, one in enumerate(picture.items):
        changed = change(one)
        if changed is not None:
            return replace(picture, items=(*picture.items[:index], changed, *picture.items[index + 1 :]))
    raise AssertionError("nothing to plant the fault in")


def target(picture: Picture, act: str, **changes: object) -> Picture:
    """The target ``act`` with its panel."""
    found = tuple(replace(one, **changes) if one.act == act else one for one in picture.targets)  # type: ignore[arg-type]
    assert found != picture.targets
    return replace(picture, targets=found)


def words(picture: Picture, said: str, **changes: object) -> Picture:
    def change(one: Item) -> Item | None:
        return replace(one, **changes) if isinstance(one, Words) and said in one.words else None  # type: ignore[arg-type]

    return item(picture, change)


def moved(picture: Picture, said: str, dx: int, dy: int) -> Picture:
    box = next(one.box for one in picture.items if isinstance(one, Words) and said in one.words)
    return words(picture, said, box=Box(box.x + dx, box.y + dy, box.w, box.h))


def drawn(picture: Picture, name: str, box: Box) -> Picture:
    def change(one: Item) -> Item | None:
        return replace(one, box=box) if isinstance(one, Drawing) and one.name == name else None

    return item(picture, change)


def added(picture: Picture, one: Item) -> Picture:
    return replace(picture, items=(*picture.items, one))


QUERY, PIN = acts.of_answer("query"), acts.of_answer("pin")
RING = Box(300, 900, 20, 20)  # 5 mm


def beside(picture: Picture) -> Picture:
    """The second tile, 2 mm right of the first."""
    first = picture.target(QUERY)
    assert first is not None
    return target(picture, acts.of_answer("certificate"), box=replace(first.box, x=first.box.right + 8))


def card(picture: Picture, change: Callable[[Box], Box]) -> Picture:
    """The first card with an outline that nobody touches."""

    def changed(one: Item) -> Item | None:
        framed = isinstance(one, Panel) and one.outline and not one.target
        return replace(one, box=change(one.box)) if framed else None  # type: ignore[type-var]  # a Panel is an Item

    return item(picture, changed)


def flat(picture: Picture, high: int) -> Picture:
    """The stars' card so high, around the middle of its rings."""
    ring = next(one.box for one in picture.items if isinstance(one, Drawing) and one.name == "digit_open")
    return card(picture, lambda box: replace(box, y=ring.y + (ring.h - high) // 2, h=high))


def filled(picture: Picture) -> Picture:
    main = next(one.fill for one in picture.items if isinstance(one, Panel) and one.target == acts.of_answer("again"))
    return item(
        picture,
        lambda one: (
            replace(one, fill=main) if isinstance(one, Panel) and one.target == acts.of_answer("back") else None
        ),
    )


FAULTS: dict[str, list[tuple[str, Fault]]] = {
    "large_enough": [("menu", lambda one: target(one, QUERY, box=Box(56, 640, 472, 56)))],
    "in_reach": [("menu", lambda one: target(one, QUERY, box=Box(56, 600, 472, 272)))],
    "apart": [("menu", beside)],
    "opposites_differ": [("wrong_pin", filled)],
    "text_is_large": [("menu", lambda one: words(one, "您想办什么", size=26))],
    "text_is_dark": [
        ("menu", lambda one: words(one, "您想办什么", colour="#8A949C")),
        ("menu", lambda one: words(one, "您想办什么", ground="#0F4C6B", colour="#FFFFFF")),
        ("menu", lambda one: words(one, "查余额", down_colour="#FFFFFF")),
    ],
    "lines_are_short": [
        ("menu", lambda one: words(one, "您想办什么", box=Box(56, 168, 60 * 19, 78))),
        ("menu", lambda one: words(one, "您想办什么", words="，您想办什么")),
    ],
    "words_stand_whole": [
        ("menu", lambda one: moved(one, "您想办什么", 900, 0)),
        ("balance", lambda one: moved(one, "合计", -60, 0)),
    ],
    "words_are_apart": [("rows", lambda one: moved(one, "卡在机器里", 0, -60))],
    "words_keep_to_their_target": [
        ("menu", lambda one: moved(one, "查余额", 0, 200)),
        ("menu", lambda one: moved(one, "您想办什么", 0, 560)),
    ],
    "nothing_is_covered": [
        ("menu", lambda one: added(one, Panel(Box(56, 160, 400, 90), "#FFFFFF"))),
        ("wrong_pin", lambda one: drawn(one, "caution", Box(56, 270, 112, 112))),
    ],
    "cards_are_whole": [
        ("balance", lambda one: added(one, Panel(Box(20, 1400, 968, 300), "#FFFFFF"))),
        ("pin", lambda one: drawn(one, "digit_open", Box(20, 1000, 88, 88))),
    ],
    "zones_are_kept": [("no_answer", lambda one: words(one, "编号", box=Box(600, 1500, 300, 60)))],
    "bodies_have_their_room": [
        ("pin", lambda one: drawn(one, "digit_open", RING)),
        ("pin", lambda one: flat(one, 60)),
        ("take", lambda one: drawn(one, "arrow_down", Box(500, 1300, 40, 40))),
        ("number", lambda one: card(one, lambda box: replace(box, h=30))),
    ],
}  # fmt: skip
CASES = [
    pytest.param(rule, *fault, id=f"{rule}-{at}") for rule, found in FAULTS.items() for at, fault in enumerate(found)
]


@pytest.mark.parametrize(("rule", "name", "plant"), CASES)
def test_a_planted_fault_is_found(rule: str, name: str, plant: Fault) -> None:
    """The picture was good, and the rule that is meant speaks up."""
    picture = good(name)
    assert complaints(THEME, picture) == []
    found = {what.split(":")[0] for what in complaints(THEME, plant(picture))}
    assert rule in found


def test_every_rule_has_a_fault() -> None:
    """A rule that was never seen to fail is no rule."""
    assert {rule.__name__ for rule in RULES} == FAULTS.keys()


def test_a_squeezed_pin_box_is_found() -> None:
    """The fault that was once found only by eye: a card of 30 px around rings that stand over its edges."""
    found = {what.split(":")[0] for what in complaints(THEME, flat(good("pin"), 30))}
    assert {"bodies_have_their_room", "cards_are_whole"} <= found
