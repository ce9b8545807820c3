"""A real browser before a real server: Debian's chromium, uvicorn on a free port of loopback with TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from simulators.pki import make_pki
from tests.fleet.console.desk import PEOPLE, Console
from tests.fleet.people import PASSWORD
from tests.hosts.nginx import free_port

CHROMIUM = "/usr/bin/chromium"
# A desk, a phone, and the narrowest screen that must do.
SIZES = {"desk": (1280, 800), "phone": (390, 844), "narrow": (320, 640)}


@contextmanager
def served(console: Console, folder: Path) -> Iterator[str]:
    """The console's address, for as long as the block."""
    pki, port = make_pki(folder / "pki"), free_port()
    tls = {"ssl_certfile": str(pki.certificate("host")), "ssl_keyfile": str(pki.key("host"))}
    told = {"log_level": "error", "access_log": False, "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(console.app, "127.0.0.1", port, **tls, **told))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Browser, address: str, size: str = "desk") -> Page:
    """A fresh window, as nginx would show it to the fleet."""
    width, height = SIZES[size]
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": width, "height": height},
        extra_http_headers=PEOPLE,
        base_url=address,
        device_scale_factor=1,
    )
    context.set_default_timeout(30_000)
    return context.new_page()


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def sign_in(page: Page, login: str, code: str) -> None:
    page.goto("/console/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", code)
    page.click("button[value=sign_in]")
    page.wait_for_url("**/console/*/")
