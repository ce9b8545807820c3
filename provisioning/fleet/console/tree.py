"""The tree of places as people see it: each with the sums of what lies below."""

from collections import Counter
from dataclasses import dataclass, field

from provisioning.fleet.console.standing import tallies
from provisioning.fleet.console.visit import Visit
from provisioning.fleet.console.words import STANDING
from provisioning.fleet.schema.places import Place


@dataclass
class Node:
    """``tally``: standing -> terminals here and below."""

    place: Place
    tally: Counter[str] = field(default_factory=Counter)
    below: list["Node"] = field(default_factory=list)

    @property
    def worst(self) -> str:
        """ "" where there is no terminal."""
        return next((word for word in STANDING if self.tally[word]), "")

    @property
    def counts(self) -> list[tuple[str, int]]:
        return [(word, self.tally[word]) for word in STANDING if self.tally[word]]

    @property
    def total(self) -> int:
        return sum(self.tally.values())


def places(visit: Visit) -> list[Place]:
    """Those that this person may look at, each after the one above it."""
    seen = (Place.tenant == visit.city) & visit.sees(Place.path)
    return sorted(Place.select().where(seen), key=lambda place: [int(one) for one in place.path.strip("/").split("/")])


def tree(visit: Visit) -> list[Node]:
    """The tops of what this person may look at."""
    counted, nodes = tallies(visit), {}
    tops: list[Node] = []
    for place in places(visit):
        node = nodes[place.id] = Node(place, Counter(counted.get(place.id, Counter())))
        above = nodes.get(place.parent_id)
        (above.below if above else tops).append(node)
    for node in reversed(nodes.values()):
        for child in node.below:
            node.tally += child.tally
    return tops
