"""The house rules about folders and documents."""

from pathlib import Path

import pytest

from tests.tidy import house_rules as rules
from tests.tidy.sources import HOUSE, all_text, assert_nothing, tracked
from tools.set_up import PACKAGES, read_package_list

TOP_FOLDERS = sorted({path.partition("/")[0] for path in tracked() if "/" in path and not path.startswith(".")})
# Two that hold programs for this tree only and explain themselves in CONTRIBUTING.md.
WITHOUT_README = {"tools"}


def test_every_package_is_in_a_contract() -> None:
    """Every top-level package is known to import-linter."""
    packages = {path.partition("/")[0] for path in tracked() if path.count("/") == 1 and path.endswith("/__init__.py")}
    packages -= {"tests"}  # imported by nothing of the product
    assert_nothing(rules.folders_without_contract(packages, (HOUSE / "pyproject.toml").read_text()))


@pytest.mark.parametrize("folder", [folder for folder in TOP_FOLDERS if folder not in WITHOUT_README])
def test_every_top_folder_explains_itself(folder: str) -> None:
    """Its README says what it is, what it is not, and how to add one."""
    readme = HOUSE / folder / "README.md"
    assert readme.is_file(), f"{folder} has no README.md"
    assert_nothing(rules.readme_lacks(readme.read_text()))


def test_documented_commands_exist() -> None:
    """Every `make X` and `python -m X` that a document names is there."""
    makefile = (HOUSE / "Makefile").read_text()
    documents = [source for source in all_text() if source.path.endswith(".md")]
    assert_nothing(f"{one.path}: {found}" for one in documents for found in rules.missing_commands(one, makefile))


def test_named_documents_exist() -> None:
    """Every document that a comment or another document names is in the repository."""
    sources = [source for source in all_text() if Path(source.path).suffix in {".py", ".md", ".toml"}]
    sources = [source for source in sources if not source.path.startswith("tests/tidy/")]
    assert_nothing(f"{one.path}: {found}" for one in sources for found in rules.missing_documents(one))


def test_every_debian_package_has_a_reason() -> None:
    """Every list says of each package what it is for, and none that set-up installs is in two of them."""
    lists = [(HOUSE / name).read_text() for name in PACKAGES]
    terminal = (HOUSE / "packages-terminal.txt").read_text()  # set-up installs nothing for that
    assert_nothing(finding for text in (*lists, terminal) for finding in rules.packages_without_reason(text))
    names = [name for text in lists for name in read_package_list(text)]
    assert len(names) == len(set(names))


def test_every_choice_is_listed() -> None:
    """The list of choices names each of them."""
    folder = HOUSE / "docs" / "adr"
    listed = (folder / "README.md").read_text()
    assert [one.name for one in sorted(folder.glob("[0-9]*.md")) if f"({one.name})" not in listed] == []


def test_pictures_and_links_of_documents_exist() -> None:
    """What a document links to inside the repository is there."""
    documents = [source for source in all_text() if source.path.endswith(".md")]
    assert_nothing(f"{one.path}: {found}" for one in documents for found in rules.dead_links(one))
