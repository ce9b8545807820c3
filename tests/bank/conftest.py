"""One PKI for all bank tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.pki import Pki, make_pki
from tests.bank.stand import BankStand, bank_stand


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def stand(tmp_path: Path, pki: Pki) -> AsyncIterator[BankStand]:
    async with bank_stand(tmp_path, pki) as running:
        yield running
