"""Runbooks and the deployment guide: what they tell people to type, open and press is there."""

from collections.abc import Callable, Iterator

import pytest

from tests.tidy import runbook_rules as rules
from tests.tidy.sources import HOUSE, Source, all_text, assert_nothing

FOLDER = "docs/runbook/"
Rule = Callable[[Source], Iterator[str]]


def runbooks() -> list[Source]:
    return [one for one in all_text() if one.path.startswith(FOLDER) or one.path == "docs/deployment.md"]


def pages() -> list[Source]:
    """Those in which bold words are words of a page."""
    return [one for one in runbooks() if one.path.startswith(FOLDER) and not one.path.endswith("README.md")]


@pytest.mark.parametrize(
    "rule", [rules.misunderstood, rules.dead_pages, rules.unknown_files], ids=lambda one: one.__name__
)
def test_what_a_runbook_names_exists(rule: Rule) -> None:
    """Each command is taken by its own parser; each page, unit and file is there."""
    assert_nothing(f"{one.path}: {found}" for one in runbooks() for found in rule(one))


def test_words_on_buttons_are_as_they_stand_there() -> None:
    """Each word in bold is said by the console or the glass, with just this Chinese."""
    assert_nothing(f"{one.path}: {found}" for one in pages() for found in rules.unknown_labels(one))


def test_every_runbook_is_listed() -> None:
    """The list of runbooks names each of them."""
    listed = (HOUSE / FOLDER / "README.md").read_text()
    assert [one.path for one in pages() if f"({one.path.removeprefix(FOLDER)})" not in listed] == []


@pytest.mark.parametrize(
    ("rule", "broken", "kept"),
    [
        (rules.misunderstood, "`kiosk doctor --jsn`", "`kiosk doctor --json`"),
        (rules.misunderstood, "`python -m offline_queue reset`", "`python -m offline_queue status --json`"),
        (rules.misunderstood, "```\npython -m provisioning.fleet --settings F claim sgn D\n```\n", "no command"),
        (rules.misunderstood, "```\npython -m provisioning.fleet --settings F ca rename X\n```\n", "`fleet.toml`"),
        (rules.misunderstood, "```\nmake imaeg\n```\n", "```\nmake image\n```\n"),
        (rules.misunderstood, "```\nformat-disk\n```\n", "```\nlsblk -o NAME\n```\n"),
        (rules.dead_pages, "`/console/CITY/terminal/NUMBER`", "`/console/CITY/terminals/NUMBER`"),
        (rules.unknown_labels, "**Stop it at once**（立即停用）", "plain"),
        (rules.unknown_labels, "**Stop it now**（不对）", "plain"),
        (rules.unknown_files, "`/etc/yikatong/nothing.toml`", "`/etc/yikatong/settings.toml`"),
        (rules.unknown_files, "`yikatong-nothing.service`", "plain"),
    ],
)
def test_a_runbook_that_is_wrong_is_found(rule: Rule, broken: str, kept: str) -> None:
    """Each rule finds a planted mistake, and leaves what is right alone."""
    assert list(rule(Source("docs/runbook/sample.md", broken)))
    assert not list(rule(Source("docs/runbook/sample.md", kept)))
