"""Many terminals of which each keeps its own line through nginx: what the generator says is what the fleet saw."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from simulators.fleet.load import LoadResult
from simulators.fleet.server import RunningFleet
from simulators.fleet.standing import first_round_s, poll_standing
from simulators.processes import Children
from tests.fleet.front import pem_of, running_fleet
from tests.standstill import slowness

pytestmark = pytest.mark.slow

TERMINALS, SECONDS = 60, 6.0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ykl"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


async def _polled(fleet: RunningFleet, children: Children) -> LoadResult:
    """Each of them once while all come, then once in two seconds."""
    begins_s = time.monotonic() + 2.0 * slowness() + first_round_s(TERMINALS)
    return await poll_standing(children, fleet.plan, TERMINALS / 2.0, SECONDS, begins_s)


async def test_each_on_its_own_line(folder: Path) -> None:
    """Every terminal is heard over the certificate that nginx verified, each poll is answered, and no line breaks."""
    async with running_fleet(folder, terminals=TERMINALS, certificates=TERMINALS, workers=2) as (fleet, children):
        result = await _polled(fleet, children)
        assert (result.answered, result.refused, result.broken) == (TERMINALS * SECONDS / 2.0, 0, 0)
        with apsw.Connection(str(fleet.plan.folder / "home" / "fleet.db")) as books:
            assert list(books.execute("SELECT count(*) FROM terminal_health WHERE serving = 1")) == [(TERMINALS,)]


async def test_who_shows_another_certificate_is_refused(folder: Path) -> None:
    """Two terminals with each other's certificates are refused every time, and it is said: identity is the line's."""
    async with running_fleet(folder, terminals=TERMINALS, certificates=TERMINALS) as (fleet, children):
        one, two = pem_of(fleet.plan, 1), pem_of(fleet.plan, 2)
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
        result = await _polled(fleet, children)
        times = 1 + SECONDS / 2.0  # with the first round
        assert (result.refused, result.answered) == (2 * times, (TERMINALS - 2) * SECONDS / 2.0)


async def test_who_is_sent_away_comes_back(folder: Path) -> None:
    """A fleet with room for fewer sends some away; they come back later, and all are heard in the end."""
    polls = {"polls": {"per_second_max": 20.0, "tenant_share": 1.0, "retry_after_s": 2.0}}
    many = {"terminals": TERMINALS, "certificates": TERMINALS}
    async with running_fleet(folder, more=polls, **many) as (fleet, children):
        result = await _polled(fleet, children)
        assert result.shed > 0 and min(result.retry_after_s) >= 2
        assert result.answered + result.joined >= TERMINALS * SECONDS / 2.0  # none that came due was left out
        assert (result.refused, result.broken) == (0, 0)
        with apsw.Connection(str(fleet.plan.folder / "home" / "fleet.db")) as books:
            assert list(books.execute("SELECT count(*) FROM terminal_health WHERE serving = 1")) == [(TERMINALS,)]
