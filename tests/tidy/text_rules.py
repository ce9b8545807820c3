"""House rules about any text: addresses, machine paths, personal numbers, ignores without a reason."""

import re
from collections.abc import Iterator

from tests.tidy.sources import Source

MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|home/[a-z]\w*|tmp/[a-z]\w*|opt/(?:wheels|pypi))/")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|(?:deb|security|snapshot)\.debian\.org|npmjs\.org|jsdelivr|unpkg\.com|googleapis\.com"
    r"|--(?:extra-)?index-url|--find-links"
)
WORKPLACE = re.compile(r"(?i)\b(?:colleagues?|tonight|founders?|the brief|house rules of the session|chat ?bot)\b")
OUTSIDE_DOCUMENT = re.compile(r"shared/(?:design|reference)")
EVERYWHERE = re.compile(r"(?<![\d.])0\.0\.0\.0(?![\d.])")
IGNORE = re.compile(r"#\s*(noqa\b|type:\s*ignore)(?P<rest>.*)")
CITIZEN_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
STANDARDS_OWN_EXAMPLE = "11010519491231002X"
PROVINCES = {
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
    83,
}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def lines_with(pattern: re.Pattern[str], source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        for match in pattern.finditer(line):
            yield f"{number}: {match.group().strip()}"


def machine_path(source: Source) -> Iterator[str]:
    return lines_with(MACHINE_PATH, source)


def registry_address(source: Source) -> Iterator[str]:
    """Which mirror is asked is the machine's own configuration."""
    return (found for found in lines_with(REGISTRY, source))


def workplace_word(source: Source) -> Iterator[str]:
    return lines_with(WORKPLACE, source)


def outside_document(source: Source) -> Iterator[str]:
    """A reader of the repository can open every document that is named."""
    return lines_with(OUTSIDE_DOCUMENT, source)


def listens_everywhere(source: Source) -> Iterator[str]:
    return lines_with(EVERYWHERE, source)


def is_citizen_number(text: str) -> bool:
    """18 characters with a valid province, date and check digit (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], WEIGHTS, strict=True))
    month, day = int(text[10:12]), int(text[12:14])
    sound = "10X98765432"[total % 11] == text[17].upper() and 1 <= month <= 12 and 1 <= day <= 31
    return sound and int(text[:2]) in PROVINCES and text != STANDARDS_OWN_EXAMPLE


def personal_number(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        for match in CITIZEN_NUMBER.finditer(line):
            if is_citizen_number(match.group()):
                yield f"{number}: a citizen's number with a valid check digit"


def ignore_without_reason(source: Source) -> Iterator[str]:
    """`# noqa: X - why` and `# type: ignore[x]  # why`; a test that bends a type on purpose says so by its sentence."""
    for number, line in enumerate(source.text.splitlines(), 1):
        match = IGNORE.search(line)
        if match and match[1].startswith("type") and source.top == "tests":
            continue
        if match and not re.search(r"[#-]\s+\S+", match["rest"]):
            yield f"{number}: {match.group().strip()} gives no reason"
