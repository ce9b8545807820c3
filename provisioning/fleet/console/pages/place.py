"""One place: its names, what lies below it, and commands to all of its terminals."""

from starlette.responses import Response

from provisioning.fleet import places as acts
from provisioning.fleet.actor import NotFound
from provisioning.fleet.console.page import Page, go
from provisioning.fleet.console.pages import commanding
from provisioning.fleet.console.render import show
from provisioning.fleet.console.tree import Node, tree
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.terminal_commands.acts import Target


def node_of(visit: Visit) -> tuple[Node, list[Node]]:
    """The place in the path, and those above it. Raises NotFound: not of this city, or not theirs to see."""
    above: list[Node] = []
    nodes = tree(visit)
    while nodes:
        for node in nodes:
            if node.place.id == visit.params["place"]:
                return node, above
        on_the_way = [node for node in nodes if _holds(node, visit.params["place"])]
        above += on_the_way
        nodes = [child for node in on_the_way for child in node.below]
    raise NotFound


def _holds(node: Node, place: int) -> bool:
    return any(child.place.id == place or _holds(child, place) for child in node.below)


def draw(visit: Visit) -> Response:
    node, above = node_of(visit)
    offered = commanding.offered(visit, node.place, whole_place=True) if node.total else []
    changes = visit.may("places", node.place)
    return show(visit, "place.html", node=node, place=node.place, above=above, commands=offered, changes=changes)


def add(visit: Visit) -> Response:
    names = visit.field("name_zh"), visit.field("name_en")
    made = acts.add(visit.actor, visit.params["place"], visit.field("kind"), *names, visit.at_ms)
    return go(f"{visit.base}/places/{made}", "made")


def change(visit: Visit) -> Response:
    names, metered = (visit.field("name_zh"), visit.field("name_en")), visit.field("metered") == "yes"
    acts.change(visit.actor, visit.params["place"], *names, metered, visit.at_ms)
    return go(visit.path, "saved")


def remove(visit: Visit) -> Response:
    acts.remove(visit.actor, visit.params["place"], visit.field("why"), visit.at_ms)
    return go(f"{visit.base}/places", "saved")


def command(visit: Visit) -> Response:
    node, _ = node_of(visit)
    return commanding.send(visit, Target(place_id=node.place.id))


ACTS = {"add": add, "change": change, "remove": remove, "command": command}
ROUTES = [Page("/console/{tenant}/places/{place:int}", draw, ACTS).route()]
