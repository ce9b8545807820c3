"""``python -m tests.fleet.console.pictures OUT``: every page as a picture, for people to look at."""

import sys
import tempfile
from pathlib import Path

import pyotp
from playwright.sync_api import Page

from provisioning.fleet.database import open_database
from provisioning.fleet.people import persons
from provisioning.fleet.schema.base import proxy
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.web import now_ms
from tests.fleet.conftest import CITY
from tests.fleet.console import night, town
from tests.fleet.console.browsing import chromium, opened, served, sign_in
from tests.fleet.console.desk import Console, Time
from tests.fleet.people import SECRET, make_person, may_sign_in

PAGES = (
    "", "proposals", "proposals/3", "terminals", "terminals/T0000002", "places", "places/{hall}", "enrolment",
    f"enrolment/{town.FINGERPRINT}", "settings", "settings/{root}", "rollouts", "rollouts/1", "people", "audit",
    "calls", "complaints", "keys", "expiring", "alerts",
)  # fmt: skip
EVERYTHING = ("viewer", "operator", "approver", "auditor", "key_officer", "security_admin", "system_admin")


def main(out: Path, only: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        console = make_console(Path(folder))
        with served(console, Path(folder)) as address, chromium() as browser:
            for size in ("desk", "phone"):
                page = opened(browser, address, size)
                page.goto("/console/sign-in")
                if not only:
                    page.screenshot(path=out / f"sign-in.{size}.png", full_page=True)
                console.time.pass_s(30)
                sign_in(page, "all", str(pyotp.TOTP(SECRET).at(console.time.at_ms // 1000)))
                take(page, out, size, only)
        proxy.obj.close()


def make_console(folder: Path) -> Console:
    open_database(f"sqlite:///{folder}/fleet.db")
    Tenant.create(code=CITY, name_zh=CITY, name_en=CITY, created_ms=0)
    root = Place.create(tenant=CITY, kind="city", name_zh=CITY, name_en=CITY, path="")
    Place.update(path=f"/{root.id}/").where(Place.id == root.id).execute()
    console = Console(folder / "home", Time(now_ms()))
    fill(console)
    return console


def fill(console: Console) -> None:
    """A town, and somebody who sees everything."""
    at_ms = console.time.at_ms
    town.build(CITY, at_ms)
    night.falls(CITY, at_ms)
    night.documents(CITY, console.home, at_ms)
    everybody = make_person(CITY, "all", *EVERYTHING)
    may_sign_in("all", console.seal)
    security = make_person(CITY, "zhou", "security_admin")
    persons.propose_person(security, "zhao", "赵小明", "operator", persons.root(CITY).id, "新来的值班员", at_ms)
    persons.propose_grant(everybody, "zhou", "approver", persons.root(CITY).id, "代班一周", at_ms)


def take(page: Page, out: Path, size: str, only: str) -> None:
    for language in ("zh", "en"):
        page.goto(f"/console/language?to={language}&back=/console/")
        for path in PAGES:
            if only and only not in path:
                continue
            told = {"root": persons.root(CITY).id, "hall": Place.get(Place.name_en == "Riverside hall").id}
            page.goto(f"/console/{CITY}/{path.format(**told)}")
            name = path.replace("/", "-").replace(town.FINGERPRINT, "one") or "overview"
            page.screenshot(path=out / f"{name}.{size}.{language}.png", full_page=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    main(target, sys.argv[2] if len(sys.argv) > 2 else "")
