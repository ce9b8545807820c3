"""One look of one person at one page: who, where, in which language, and what they may do there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from provisioning.fleet import roles
from provisioning.fleet.actor import Actor, NotFound, Refused
from provisioning.fleet.l10n.catalog import say, say_if_known
from provisioning.fleet.people.held import PERSON, held_by
from provisioning.fleet.people.sealing import Seal
from provisioning.fleet.schema.people import Grant, Person
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.web import Fleet

WORDS_MAX = 2000
DIGITS_MAX = 9  # a longer number is none of ours, and more than a column takes
PIECE = 1 << 20


@dataclass(frozen=True)
class Visit:
    """``path`` and ``query`` of the question; ``form`` is empty while nothing is sent. ``trouble``: why it was not
    done, in the reader's language. ``token``: of the session, or of the browser before signing in."""

    fleet: Fleet
    seal: Seal
    at_ms: int
    language: str
    path: str
    token: str
    address: str
    params: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, IO[bytes]] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    person: Person | None = None
    tenant: Tenant | None = None
    trouble: str = ""

    @cached_property
    def who(self) -> Person:
        assert self.person is not None, "a page for people who signed in"
        return self.person

    @cached_property
    def actor(self) -> Actor:
        return Actor(self.city.code, f"{PERSON}{self.who.login}")

    @cached_property
    def city(self) -> Tenant:
        assert self.tenant is not None, "a page of a city"
        return self.tenant

    @cached_property
    def home(self) -> Path:
        """The fleet's private folder."""
        return Path(self.fleet.settings.home)

    @cached_property
    def base(self) -> str:
        """Of the city's pages."""
        return f"/console/{self.city.code}"

    @cached_property
    def held(self) -> tuple[roles.Held, ...]:
        return held_by(self.actor)

    @cached_property
    def csrf(self) -> str:
        """Proves that a form came from a page of ours, shown to this session."""
        return self.seal.mark(f"csrf:{self.token}")[:40]

    def may(self, act: str, place: Place | None = None) -> bool:
        """At this place; without one: anywhere in the city."""
        if place is not None:
            return roles.may(self.held, act, place.path)
        return any(roles.may(self.held, act, one.path) for one in self.held)

    def cities_with(self, act: str) -> list[Tenant]:
        """Cities in which this person may do it somewhere."""
        here = Grant.select(Place.tenant).join(Place).where(Grant.person == self.who)
        cities = Tenant.select().where(Tenant.code.in_(here)).order_by(Tenant.code)
        return [city for city in cities if replace(self, tenant=city).may(act)]

    def sees(self, path: object) -> Any:
        """For a question to the database: ``path`` (a column) lies where this person may look."""
        seen = [path.startswith(one.path) for one in self.held]  # type: ignore[attr-defined]  # peewee's column
        together = seen[0]
        for one in seen[1:]:
            together |= one
        return together

    def say(self, msgid: str, **values: object) -> str:
        return say(self.language, msgid, **values)

    def said(self, words: str) -> str:
        """Words of another part."""
        return say_if_known(self.language, words)

    def field(self, name: str, most: int = WORDS_MAX) -> str:
        """What was sent under this name, without spaces around it.

        Raises:
            Refused: longer than ``most`` characters.
        """
        value = self.form.get(name, "").strip()
        if len(value) > most:
            raise Refused("too_long", "That is too long. Say it in fewer words.")
        return value

    def file(self, name: str) -> Iterator[bytes]:
        """What was sent as a file, in pieces; nothing where none was chosen."""
        sent = self.files.get(name)
        while sent is not None and (piece := sent.read(PIECE)):
            yield piece

    def number(self, name: str) -> int:
        """Raises NotFound: no number was sent, or one that no row has; our own pages always send one."""
        told = self.form.get(name, "")
        if not (told.isascii() and told.isdigit() and len(told) <= DIGITS_MAX):
            raise NotFound(name)
        return int(told)
