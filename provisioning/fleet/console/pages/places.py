"""The tree of places: seen as a list and as a map, made and named."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from provisioning.fleet import places as acts
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import Node, places, tree
from provisioning.fleet.console.visit import Visit

MAP_MAX = 300  # places; a larger tree is read as a list
COLUMN, LINE = 230, 34  # pixels of the map


@dataclass(frozen=True)
class Spot:
    """A place on the map; ``above`` is where the line from it ends."""

    node: Node
    x: int
    y: int
    above: tuple[int, int] | None


def draw(visit: Visit) -> Response:
    tops = tree(visit)
    spots = list(_spots(tops))
    known = places(visit)
    drawn = spots if len(spots) <= MAP_MAX else []
    size = {
        "width": COLUMN * (max((one.x for one in spots), default=0) // COLUMN + 1) + 40,
        "height": LINE * len(spots) + 10,
    }
    return show(visit, "places.html", tops=tops, spots=drawn, places=known, **size)


def _spots(tops: list[Node], depth: int = 0, above: tuple[int, int] | None = None, line: int = 0) -> Iterator[Spot]:
    """From top to bottom, a line each, as somebody would draw it by hand."""
    for node in tops:
        spot = Spot(node, 16 + depth * COLUMN, 20 + line * LINE, above)
        yield spot
        line += 1
        below = list(_spots(node.below, depth + 1, (spot.x, spot.y), line))
        yield from below
        line += len(below)


def add(visit: Visit) -> Response:
    names = visit.field("name_zh"), visit.field("name_en")
    acts.add(visit.actor, visit.number("parent"), visit.field("kind"), *names, visit.at_ms)
    return go(f"{visit.base}/places", "made")


def change(visit: Visit) -> Response:
    names, metered = (visit.field("name_zh"), visit.field("name_en")), visit.field("metered") == "yes"
    acts.change(visit.actor, visit.number("place"), *names, metered, visit.at_ms)
    return go(f"{visit.base}/places", "saved")


def remove(visit: Visit) -> Response:
    acts.remove(visit.actor, visit.number("place"), visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/places", "saved")


ROUTES = [Page("/console/{tenant}/places", draw, {"add": add, "change": change, "remove": remove}).route()]
