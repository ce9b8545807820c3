"""Which part of the glass must be drawn again. On a machine without a GPU the filled area is what a frame costs."""

from screens.picture import Item, Picture, Words
from screens.theme import Box
from screens.typeface import overhang

MARGIN_PX = 4  # smooth edges reach beyond their box


class Damage:
    """Collects boxes between two frames."""

    def __init__(self) -> None:
        self._whole = True
        self._box: Box | None = None

    def add(self, box: Box) -> None:
        self._box = _around(self._box, box) if self._box else box

    def add_all(self) -> None:
        self._whole = True

    def take(self) -> Box | None:
        """What to draw now; None is everything, also where nothing is known: somebody else asked for the frame."""
        whole, box = self._whole, self._box
        self._whole, self._box = False, None
        return None if whole else box


def changed_items(before: Picture, after: Picture) -> list[Item] | None:
    """The items that only one of two pictures has; None where the rest differs too, in ground or order."""
    gone, come = set(before.items), set(after.items)
    stays_before = [item for item in before.items if item in come]
    stays_after = [item for item in after.items if item in gone]
    if before.ground != after.ground or stays_before != stays_after:
        return None
    return [item for item in (*before.items, *after.items) if (item in gone) != (item in come)]


def extent(item: Item) -> Box:
    """The pixels that an item may reach."""
    edge = overhang(item.size) if isinstance(item, Words) else 0
    return item.box.inset(-edge - MARGIN_PX)


def _around(one: Box, other: Box) -> Box:
    left, top = min(one.x, other.x), min(one.y, other.y)
    return Box(left, top, max(one.right, other.right) - left, max(one.bottom, other.bottom) - top)
