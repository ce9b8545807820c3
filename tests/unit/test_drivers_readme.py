"""The driver that ``drivers/README.md`` writes from nothing is run as it stands there."""

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import trio.testing

README = Path(__file__).parents[2] / "drivers" / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(README.read_text(encoding="utf-8"))
TESTS = [name for _, block in BLOCKS for name in re.findall(r"async def (test_\w+)", block)]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The package ``toy_printer``, written out of the README."""
    (tmp_path / "toy_printer").mkdir()
    for language, block in BLOCKS:
        if language == "python":
            name = re.match(r"# (toy_printer/\w+\.py)\n", block)
            assert name, "every python block begins with its file name"
            (tmp_path / name[1]).write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("toy_printer.test_toy")


def test_the_readme_has_all_parts() -> None:
    """Codec, driver, simulator and tests in python, the entry point in TOML, and at least three tests."""
    assert [language for language, _ in BLOCKS] == ["python", "python", "toml", "python", "python"]
    assert len(TESTS) >= 3


@pytest.mark.parametrize("name", TESTS)
async def test_the_readmes_own_tests_hold(name: str, toy: ModuleType, autojump_clock: trio.testing.MockClock) -> None:
    """Each test of the last block passes; the clock is virtual, so time-outs cost nothing."""
    result = await getattr(toy, name)()
    assert result is None


def test_the_entry_point_of_the_readme_exists(toy: ModuleType) -> None:
    """What the TOML block names can be imported and called."""
    text = next(block for language, block in BLOCKS if language == "toml")
    module, function = tomllib.loads(text)["project"]["entry-points"]["yikatong.drivers"]["toy"].split(":")
    assert callable(getattr(import_module(module), function))
