"""One private pcscd for the whole test process: pcsc-lite reads its socket's name once and never again."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from simulators.pcscd import PrivatePcscd
from tests.cards.stand import CardStand, open_stand


@pytest.fixture(scope="session")
def pcscd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePcscd]:
    with PrivatePcscd(tmp_path_factory.mktemp("pcscd")) as running:
        os.environ["PCSCLITE_CSOCK_NAME"] = str(running.socket_path)
        yield running


@pytest.fixture
async def stand(pcscd: PrivatePcscd, tmp_path: Path) -> AsyncIterator[CardStand]:
    async with open_stand(pcscd, tmp_path, answer_s_max=1.0) as running:
        yield running
