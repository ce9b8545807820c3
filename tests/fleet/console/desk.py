"""Somebody at a desk with a browser: signs in, opens pages, sends their forms."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pyotp

from provisioning.fleet.app import make_app
from provisioning.fleet.console.page import seal_of
from provisioning.fleet.settings import FleetSettings
from provisioning.fleet.web import Fleet
from tests.fleet.client import Answer, Client
from tests.fleet.people import PASSWORD, SECRET, make_person, may_sign_in

START_MS = 1_800_000_000_000
PEOPLE = {"X-Face": "people", "X-Real-IP": "192.0.2.7"}
EDGE = "edge-of-a-part"
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class Time:
    """The fleet's clock, moved by hand."""

    at_ms: int = START_MS

    def __call__(self) -> int:
        return self.at_ms

    def pass_s(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


@dataclass
class Console:
    """The whole application in memory."""

    home: Path
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        settings = FleetSettings(home=str(self.home), public=str(self.home / "public"))
        self.seal = seal_of(settings.home)
        self.app = make_app(Fleet(settings, self.time))

    def person(self, tenant: str, login: str, *roles: str, place: int | None = None) -> "Desk":
        """A new person with these roles, signed in."""
        make_person(tenant, login, *roles, place=place)
        may_sign_in(login, self.seal)
        desk = Desk(self, tenant)
        desk.sign_in(login)
        return desk


class Desk:
    """One browser. Paths are below the city's pages, or whole where they begin with ``/console/``."""

    def __init__(self, console: Console, tenant: str) -> None:
        self.console, self.tenant = console, tenant
        self.client = Client(console.app, PEOPLE)
        self.client.cookies["language"] = "en"

    def path(self, path: str) -> str:
        return path if path.startswith("/console/") else f"/console/{self.tenant}{path}"

    def get(self, path: str) -> Answer:
        return self.client.get(self.path(path))

    def send(self, path: str, act: str, **fields: object) -> Answer:
        """A form of this page, with its token; what the answer leads to is not followed."""
        found = CSRF.search(self.get(path).text)
        csrf = found[1] if found else ""
        form = {"csrf": csrf, "act": act, **{name: str(value) for name, value in fields.items()}}
        return self.client.post(self.path(path), form=form)

    def upload(self, path: str, act: str, name: str, content: bytes, **more: str) -> Answer:
        """A form with a file."""
        found = CSRF.search(self.get(path).text)
        fields = {"csrf": found[1] if found else "", "act": act, **more}
        parts = [
            f'--{EDGE}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        parts.append(f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n')
        body = "".join(parts).encode() + content + f"\r\n--{EDGE}--\r\n".encode()
        return self.client.post(self.path(path), {"Content-Type": f"multipart/form-data; boundary={EDGE}"}, body=body)

    def sign_in(self, login: str, password: str = PASSWORD) -> Answer:
        self.client.get("/console/sign-in")
        return self.send("/console/sign-in", "sign_in", login=login, password=password, code=self.code())

    def code(self) -> str:
        return str(pyotp.TOTP(SECRET).at(self.console.time.at_ms // 1000))
