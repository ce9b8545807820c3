"""A rule that cannot fail is no rule: each is shown a planted sample that breaks it and one that keeps it."""

import pytest

from tests.tidy import code_rules, house_rules, text_rules
from tests.tidy.sources import HOUSE, Rule, Source

LONG_BODY = "\n".join(["    x = 1"] * 71)
# The second example of GB 11643-1999, of a person born in 1880, and the same with another check digit.
VALID_NUMBER, INVALID_NUMBER = "440524188001010014", "440524188001010015"

SAMPLES: list[tuple[Rule, str, str]] = [
    (code_rules.long_file, "x = 1\n" * 401, "x = 1\n" * 400),
    (code_rules.long_function, f"def f():\n{LONG_BODY}\n", "def f():\n    return 1\n"),
    (
        code_rules.swallowed_exception,
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "try:\n    f()\nexcept Exception:\n    undo()\n    raise\n",
    ),
    (
        code_rules.swallowed_exception,
        "try:\n    f()\nexcept:\n    pass\n",
        "try:\n    f()\nexcept OSError:\n    pass\n",
    ),
    (
        code_rules.await_inside_commit,
        "async def f():\n    with db.atomic():\n        await g()\n",
        "async def f():\n    with db.atomic():\n        g()\n    await h()\n",
    ),
    (
        code_rules.async_journal,
        "class SqliteJournal:\n    async def record(self): ...\n",
        "class SqliteJournal:\n    def record(self): ...\n",
    ),
    (
        code_rules.opens_nursery,
        "async def f():\n    async with trio.open_nursery() as n:\n        n.start_soon(g)\n",
        "async def f():\n    await first_of(g, h)\n",
    ),
    (code_rules.other_event_loop, "import asyncio\n", "import trio\n"),
    (code_rules.other_event_loop, "from asyncio import sleep\n", "from trio import sleep\n"),
    (code_rules.vague_name, "class CardManager: ...\n", "class CardReader: ...\n"),
    (code_rules.run_by_path, "#!/usr/bin/env python3\n", "import trio\n"),
    (code_rules.mocked_house, "from unittest.mock import MagicMock\n", "from fakes import Pad\n"),
    (code_rules.mocked_house, "def t(monkeypatch):\n    monkeypatch.setattr(a, 'b', 1)\n", "def t(pad): ...\n"),
    (code_rules.sleeping_test, "time.sleep(1)\n", "while not ready():\n    time.sleep(0.01)\n"),
    (
        code_rules.test_without_sentence,
        "def test_a():\n    assert f()\n",
        'def test_a():\n    """F holds."""\n    assert f()\n',
    ),
    (code_rules.test_without_assertion, "def test_a():\n    f()\n", "def test_a():\n    assert f()\n"),
    (text_rules.machine_path, f"open('/{'root'}/x')\n", "open(home / 'x')\n"),
    (text_rules.registry_address, f"https://{'pypi'}.org/project\n", "the machine's own registry\n"),
    (text_rules.workplace_word, "written tonight\n", "written for readers\n"),
    (text_rules.outside_document, "see shared/reference/x\n", "see docs/glossary\n"),
    (text_rules.listens_everywhere, 'bind("0.0.0.0")\n', 'bind("127.0.0.1")\n'),
    (text_rules.personal_number, f"number = {VALID_NUMBER}\n", f"number = {INVALID_NUMBER}\n"),
    (text_rules.ignore_without_reason, "x = 1  # noqa: E501\n", "x = 1  # noqa: E501 - a table reads better wide\n"),
    (
        text_rules.ignore_without_reason,
        "x = y  # type: ignore[arg-type]\n",
        "x = y  # type: ignore[arg-type]  # no stubs there\n",
    ),
]


@pytest.mark.parametrize(("rule", "broken", "kept"), SAMPLES, ids=[rule.__name__ for rule, _, _ in SAMPLES])
def test_rule_tells_broken_from_kept(rule: Rule, broken: str, kept: str) -> None:
    """The rule finds the planted sample and leaves the sound one alone."""
    assert list(rule(Source("kiosk/sample.py", broken)))
    assert not list(rule(Source("kiosk/sample.py", kept)))


@pytest.mark.parametrize("name", ["manager.py", "card_utils.py", "helpers.py"])
def test_vague_file_name_is_found(name: str) -> None:
    """A file named for nothing is found by its name alone."""
    assert list(code_rules.vague_name(Source(f"kiosk/{name}", "")))


@pytest.mark.parametrize("line", ["LOAD_CLEAR_KEY = 50", "def unwrap_key(block): ...", "pad.decrypt_pin(block)"])
def test_key_in_clear_is_found(line: str) -> None:
    """Code that handles a key or a PIN in clear is found by what it is called."""
    assert list(code_rules.clear_key(Source("drivers/sample.py", line)))


def test_clear_key_frame_is_found() -> None:
    """Command 32 in a pad's codec is found, the same number elsewhere is not."""
    frame = "LOAD = 0x32\n"
    assert list(code_rules.clear_key(Source("drivers/pin_pad/kmy/codec.py", frame)))
    assert not list(code_rules.clear_key(Source("drivers/printer/escpos/codec.py", frame)))


def test_package_outside_the_contracts_is_found() -> None:
    """A new top-level package that no contract knows is found."""
    pyproject = (HOUSE / "pyproject.toml").read_text()
    assert house_rules.folders_without_contract({"kiosk", "newcomer"}, pyproject) == ["newcomer"]


def test_readme_without_its_parts_is_found() -> None:
    """A README that does not say what the folder is not, or how to add one, is found."""
    assert house_rules.readme_lacks("# kiosk\n\n## What it is\n") == ["what it is not", "adding one"]
    assert not house_rules.readme_lacks("## What it is\n## What it is not\n## Adding a service\n")


@pytest.mark.parametrize(
    "command", ["`make nonsense`", "    python -m kiosk.nonsense", "`python -m simulators nonsense`"]
)
def test_documented_command_that_does_not_exist_is_found(command: str) -> None:
    """A document that names a command which is not there is found."""
    makefile = (HOUSE / "Makefile").read_text()
    assert list(house_rules.missing_commands(Source("README.md", command), makefile))
    assert not list(house_rules.missing_commands(Source("README.md", "`make run` or `make test`"), makefile))


def test_named_document_that_does_not_exist_is_found() -> None:
    """A comment that sends the reader to a document which is not there is found."""
    assert list(house_rules.missing_documents(Source("kiosk/basics/log.py", "# see docs/nowhere.md")))
    assert not list(house_rules.missing_documents(Source("kiosk/basics/log.py", "# see docs/glossary.md")))


def test_link_to_nowhere_is_found() -> None:
    """A link or picture whose file is not there is found; addresses on the web are not followed."""
    assert list(house_rules.dead_links(Source("docs/README.md", "![x](nowhere.png)")))
    assert not list(house_rules.dead_links(Source("docs/README.md", "[x](glossary.md#cards) [y](https://example.org)")))


def test_package_without_reason_is_found() -> None:
    """A Debian package without a word of why is found."""
    assert house_rules.packages_without_reason("# Cards\npcscd  # the daemon\nxvfb\n") == ["xvfb"]
