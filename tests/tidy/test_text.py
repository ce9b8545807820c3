"""The house rules about text, over everything that people wrote."""

import pytest

from tests.tidy import text_rules as rules
from tests.tidy.sources import Rule, Source, all_text, assert_nothing, findings

# These hold the patterns themselves, and the planted samples that prove them.
ITSELF = "tests/tidy/"
# Sample residents: made up, with valid check digits on purpose.
SAMPLE_RESIDENTS = ("simulators/worlds/", "tests/")


def others(*without: str) -> list[Source]:
    return [source for source in all_text() if not source.path.startswith((ITSELF, *without))]


RULES = [
    rules.machine_path,
    rules.registry_address,
    rules.workplace_word,
    rules.outside_document,
    rules.listens_everywhere,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    """No file names a path of one machine, a registry, a workplace, or listens to the whole network."""
    assert_nothing(findings(rule, others()))


def test_no_personal_numbers() -> None:
    """No citizen's number with a valid check digit stands outside the sample worlds and the tests."""
    assert_nothing(findings(rules.personal_number, others(*SAMPLE_RESIDENTS)))


def test_ignores_give_reasons() -> None:
    """Whoever switches a check off says why."""
    assert_nothing(
        findings(rules.ignore_without_reason, [source for source in others() if source.path.endswith(".py")])
    )
