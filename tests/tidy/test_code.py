"""The house rules about code, over every file; an exception is listed here with its reason."""

import pytest

from tests.tidy import code_rules as rules
from tests.tidy.sources import CODE, PRODUCT, Rule, assert_nothing, findings, python_of

EVERYWHERE = (*CODE, "tests", "tools")

ALLOWED: dict[str, dict[str, str]] = {
    "sleeping_test": {
        "tests/screens/test_kiosk_screen.py": "a hand that waits while the glass is deaf after a change",
    },
    "long_function": {
        "tests/screens/samples.py": "one table: a sample of each question",
    },
    "swallowed_exception": {
        "drivers/pin_entry/__main__.py": "ends the process at once; a trace could hold digits",
        "kiosk/basics/race.py": "carries the exception out of the nursery and raises it there",
        "provisioning/fleet/backup/archive.py": "carries the exception out of its thread; the reader raises it",
    },
    "await_inside_commit": {
        "provisioning/fleet/backup/tables.py": "reads of one moment, in the fleet's database; nothing is written",
    },
}

RULES: list[tuple[Rule, tuple[str, ...]]] = [
    (rules.long_file, EVERYWHERE),
    (rules.long_function, EVERYWHERE),
    (rules.swallowed_exception, EVERYWHERE),
    (rules.await_inside_commit, CODE),
    (rules.async_journal, CODE),
    (rules.other_event_loop, EVERYWHERE),
    (rules.vague_name, EVERYWHERE),
    (rules.clear_key, PRODUCT),
    (rules.mocked_house, ("tests",)),
    (rules.sleeping_test, ("tests",)),
]


@pytest.mark.parametrize(("rule", "tops"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_rule_holds(rule: Rule, tops: tuple[str, ...]) -> None:
    """No file breaks this rule."""
    assert_nothing(findings(rule, python_of(*tops), ALLOWED.get(rule.__name__)))


def test_no_nurseries_in_services_and_screens() -> None:
    """Services, staff duties and screens start no tasks of their own."""
    places = ("kiosk/services/", "kiosk/staff/", "screens/")
    sources = [source for source in python_of("kiosk", "screens") if source.path.startswith(places)]
    assert_nothing(findings(rules.opens_nursery, sources))


def test_kiosk_is_run_as_a_module() -> None:
    """No file of kiosk/ is made to be run by its path."""
    assert_nothing(findings(rules.run_by_path, python_of("kiosk")))


@pytest.mark.parametrize("rule", [rules.test_without_sentence, rules.test_without_assertion])
def test_tests_say_and_judge(rule: Rule) -> None:
    """Every test says in a sentence what is true, and asserts something."""
    tests = [source for source in python_of("tests") if source.path.rpartition("/")[2].startswith("test_")]
    assert_nothing(findings(rule, tests))
