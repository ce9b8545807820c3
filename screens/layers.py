"""A picture's items in few layers: changing between fills and texts costs more than most fills."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from screens.picture import Drawing, Item, Panel, Words
from screens.theme import Box
from screens.typeface import overhang


@dataclass
class Layer:
    """What may be drawn in two strokes and looks the same: first the panels, then what is written on them."""

    panels: list[Panel] = field(default_factory=list)
    written: list[Words | Drawing] = field(default_factory=list)


def layers(items: Iterable[Item]) -> list[Layer]:
    """A panel that covers something already written begins a new layer."""
    found = [Layer()]
    for item in items:
        if not isinstance(item, Panel):
            found[-1].written.append(item)
            continue
        if any(item.box.overlaps(_reach(other)) for other in found[-1].written):
            found.append(Layer())
        found[-1].panels.append(item)
    return found


def _reach(item: Words | Drawing) -> Box:
    """The pixels it may touch."""
    return item.box.inset(-overhang(item.size)) if isinstance(item, Words) else item.box
