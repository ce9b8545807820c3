"""The Dockerfile is built and its containers run for real: a fleet behind nginx on PostgreSQL, and the demo."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from simulators.kiosk_settings import as_toml
from simulators.pki import make_pki
from simulators.postgresql import open_postgresql
from simulators.waiting import free_port
from tests.appliance.containers import Buildah
from tests.tidy.sources import HOUSE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.appliance,
    pytest.mark.skipif(os.geteuid() != 0, reason="buildah stores files of other users"),
    pytest.mark.timeout(1800),
    pytest.mark.longest(30),
]
USER = 10001
CITY = "demo-city"
LIVES_S_MAX = 240.0
STOPS_S_MAX = 30.0
ASKS_AGAIN_S = 0.5
# A chip and its commands, a fleet and its database, pages that are drawn: what needs most of what is installed there.
PART_OF_SUITE = ("tests/cards/test_conformance.py", "tests/fleet/test_poll.py", "tests/screens/test_fills.py")


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Buildah:
    return Buildah(tmp_path_factory.mktemp("pip") / "pip.conf")


class Container:
    """A running container: one process of ours, whose children end with it."""

    def __init__(self, buildah: Buildah, image: str, options: list[str], log: Path) -> None:
        self._buildah, self._options, self.log = buildah, options, log
        self.name = buildah.run("from", image)
        self.config = json.loads(buildah.run("inspect", "--type", "container", self.name))["Docker"]["config"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str) -> None:
        """With its own entry point; its own command where there are no ``words``."""
        words = words or tuple(self.config["Cmd"] or ())
        with self.log.open("wb") as sink:
            self._process = subprocess.Popen(
                self._command(*self.config["Entrypoint"], *words), stdout=sink, stderr=sink, start_new_session=True
            )

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """One more program in it, to its end."""
        return subprocess.run(
            self._command(*words), input=stdin, capture_output=True, text=True, timeout=LIVES_S_MAX, check=False
        )

    @property
    def healthy(self) -> bool:
        """By the check that is written in its image."""
        kind, *words = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(*words).returncode == 0

    def await_health(self) -> None:
        ends = time.monotonic() + LIVES_S_MAX
        while not self.healthy:
            assert self._process and self._process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < ends, self.log.read_text()[-3000:]
            time.sleep(ASKS_AGAIN_S)

    def users(self) -> set[int]:
        """Of every process in the container's session but buildah's own."""
        assert self._process
        found = set()
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
                session = status.with_name("stat").read_text().rpartition(")")[2].split()[3]
                program = status.with_name("exe").readlink().name
            except OSError:
                continue  # ended meanwhile
            if int(session) == self._process.pid and not program.startswith(("buildah", "memfd:buildah")):
                found.add(int(lines["Uid"].split()[0]))
        return found

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(STOPS_S_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._buildah.run("rm", self.name)

    def _command(self, *words: str) -> list[str]:
        return self._buildah.command("run", "--isolation", "chroot", *self._options, self.name, "--", *words)


@contextmanager
def container(buildah: Buildah, target: str, folder: Path, *options: str) -> Iterator[Container]:
    made = Container(buildah, buildah.build(target), list(options), folder / f"{target}.log")
    try:
        yield made
    finally:
        made.stop()


def given(folder: Path, *names: str) -> list[Path]:
    """Folders that belong to the user of the containers."""
    made = [folder / name for name in names]
    for path in made:
        path.mkdir()
        os.chown(path, USER, USER)
    return made


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yikatong-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def fleet_settings(folder: Path, database: str, ports: tuple[int, int]) -> Path:
    """As the ones in the image, but on loopback, and with another database."""
    path = folder / "fleet.toml"
    tree = {
        "home": "/var/lib/yikatong-fleet",
        "public": "/srv/yikatong",
        "socket": "/run/yikatong-front/fleet.sock",
        "database": database,
        "front": {
            "device_listen": f"127.0.0.1:{ports[0]}",
            "console_listen": f"127.0.0.1:{ports[1]}",
            "certificate": "/run/secrets/certificate",
            "key": "/run/secrets/key",
            "trusted": "/run/yikatong-front/terminals.pem",
        },
    }
    path.write_text(as_toml(tree))
    return path


@pytest.mark.longest(600)  # nearly all of it is the build, as with the next ones
def test_fleet_answers_through_nginx_on_postgresql(buildah: Buildah, short: Path) -> None:
    """A terminal with a certificate of this fleet is known by it, and one without is nobody; no process is root's."""
    pki = make_pki(short / "pki")
    home, public, front, secrets = given(short, "home", "public", "front", "secrets")
    for name, path in (("certificate", pki.certificate("fleet")), ("key", pki.key("fleet"))):
        (secrets / name).write_bytes(path.read_bytes())
        os.chown(secrets / name, USER, USER)
    ports = (free_port(2), 0)
    ports = (ports[0], ports[0] + 1)
    with open_postgresql(short / "pg") as database:
        settings = fleet_settings(short, database, ports)
        volumes = {
            home: "/var/lib/yikatong-fleet",
            public: "/srv/yikatong",
            front: "/run/yikatong-front",
            secrets: "/run/secrets",
            settings: "/etc/yikatong/fleet.toml",
            short / "pg": str(short / "pg"),
        }
        options = [word for here, there in volumes.items() for word in ("--volume", f"{here}:{there}")]
        with (
            container(buildah, "fleet", short, *options) as fleet,
            container(buildah, "front", short, *options) as nginx,
        ):
            fleet.start()
            fleet.await_health()
            nginx.start()
            nginx.await_health()
            rehearsal = ("--city", CITY, "--terminals", "2", "--certificates", "2", "--prefix", "T")
            made = fleet.run("fleet", "rehearse", *rehearsal, "--out", "/var/lib/yikatong-fleet/rehearsal")
            assert made.returncode == 0, made.stderr
            known = home / "rehearsal" / "T0000001.pem"
            authority = pki.certificate("fleet-ca")
            assert polled(ports[0], authority, known) == HTTPStatus.OK
            assert polled(ports[0], authority, None) == HTTPStatus.NOT_FOUND
            assert fleet.users() == nginx.users() == {USER}
            rows = ["psql", database, "-tAc", "select count(*) from terminal"]
            assert subprocess.run(rows, capture_output=True, text=True, check=True).stdout.strip() == "2"


def polled(port: int, authority: Path, certificate: Path | None) -> int:
    """The status of a terminal's question, through TLS with the terminal's certificate, if it shows one."""
    trusting = ssl.create_default_context(cafile=str(authority))
    if certificate is not None:
        trusting.load_cert_chain(certificate)
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=trusting)
    try:
        line.request("POST", f"/{CITY}/terminal/v1/T0000001/poll", b"{}")
        return line.getresponse().status
    finally:
        line.close()


@pytest.mark.longest(600)
def test_demo_becomes_ready(buildah: Buildah, short: Path) -> None:
    """Its page answers, its kiosk serves, its health check says so, and no process is root's."""
    (state,) = given(short, "state")
    port = free_port()
    told = ("--env", "LISTEN=127.0.0.1", "--env", f"PORT={port}")
    options = ["--volume", f"{state}:/var/lib/yikatong-demo", *told]
    with container(buildah, "kiosk-demo", short, *options) as demo:
        assert not demo.healthy
        demo.start()
        demo.await_health()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
            assert "一卡通" in page.read().decode()
        assert demo.users() == {USER}


@pytest.mark.longest(900)
def test_suite_runs_in_its_container(buildah: Buildah, short: Path) -> None:
    """What `make test` runs is run there, and not by root: checks of style, and tests from a chip to a glass;
    a test that fails there fails."""
    with container(buildah, "tests", short) as house:
        assert house.config["User"] == f"{USER}:{USER}" and house.config["Cmd"] == ["make", "test"]
        assert house.run("id", "-u").stdout.strip() == str(USER)
        python = ".venv/bin/python"
        style = house.run(python, "-m", "ruff", "check", "kiosk", "drivers")
        assert style.returncode == 0, style.stdout[-2000:]
        done = house.run(python, "-m", "pytest", "-m", "not slow", *PART_OF_SUITE)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        assert " passed" in done.stdout or "[100%]" in done.stdout
        failing = "echo 'def test_no() -> None: assert False' > tests/unit/test_no.py"
        assert house.run("sh", "-c", f"{failing} && {python} -m pytest tests/unit/test_no.py").returncode == 1


def test_dockerfile_is_clean() -> None:
    """hadolint finds nothing; what it is told to pass over stands beside the line with a reason."""
    done = subprocess.run(
        [str(HOUSE / ".venv/bin/hadolint"), "Dockerfile"], cwd=HOUSE, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_compose_file_fits_the_dockerfile() -> None:
    """Every target exists, no image is `latest`, no secret stands in the file, and only loopback is published."""
    compose = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
    targets = {
        line.split(" AS ")[1] for line in (HOUSE / "Dockerfile").read_text().splitlines() if line.startswith("FROM")
    }
    for name, service in compose["services"].items():
        assert service.get("build", {"target": "fleet"})["target"] in targets, name
        assert ":" in service["image"] and not service["image"].endswith(":latest"), name
        assert all("PASSWORD" not in key or key.endswith("_FILE") for key in service.get("environment", {})), name
        assert all(port.startswith("${FLEET_ADDRESS:-127.0.0.1}:") for port in service.get("ports", [])), name
