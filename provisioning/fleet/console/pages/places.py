"""The tree of places, as a list and as a map."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from provisioning.fleet.console.page import Page
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import Node, tree
from provisioning.fleet.console.visit import Visit

MAP_MAX = 300  # places; a larger tree is read as a list
COLUMN, LINE, LAST = 240, 34, 320  # pixels of the map


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
    drawn = spots if len(spots) <= MAP_MAX else []
    width = max((one.x for one in spots), default=0) + LAST
    return show(visit, "places.html", tops=tops, spots=drawn, width=width, height=LINE * len(spots) + 10)


def _spots(tops: list[Node], depth: int = 0, above: tuple[int, int] | None = None, line: int = 0) -> Iterator[Spot]:
    """From top to bottom, a line each, as somebody would draw it by hand."""
    for node in tops:
        spot = Spot(node, 16 + depth * COLUMN, 20 + line * LINE, above)
        yield spot
        line += 1
        below = list(_spots(node.below, depth + 1, (spot.x, spot.y), line))
        yield from below
        line += len(below)


ROUTES = [Page("/console/{tenant}/places", draw).route()]
