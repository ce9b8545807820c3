"""Set-up reads its lists right and does nothing twice."""

from tests.tidy.sources import HOUSE
from tools import set_up


def test_package_list_is_read_without_its_reasons() -> None:
    """Comments, reasons and empty lines are no package names."""
    assert set_up.read_package_list("# Cards\n\npcscd   # the daemon\n  xvfb\n") == ["pcscd", "xvfb"]


def test_missing_packages_are_named() -> None:
    """A package that nobody has is missing, one that every Debian has is not."""
    assert set_up.missing_debian_packages(["dpkg", "no-such-package-at-all"]) == ["no-such-package-at-all"]


def test_build_tools_are_taken_from_the_lock_with_their_hashes() -> None:
    """pyscard is built with the locked setuptools and wheel, not with whatever is newest."""
    tools = "wheel==2 \\\n    --hash=sha256:bb\nsetuptools==3 \\\n    --hash=sha256:cc\n"
    taken = set_up.build_tools_of(f"attrs==1 \\\n    --hash=sha256:aa\n    # via trio\n{tools}")
    assert taken == tools


def test_every_locked_package_has_a_hash() -> None:
    """pip would otherwise refuse on a fresh machine what works on the one that has it cached."""
    entries = [part for part in (HOUSE / "requirements.lock").read_text().split("\n") if part[:1].isalnum()]
    assert entries
    assert all("==" in entry and entry.endswith("\\") for entry in entries)


def test_stamp_holds_for_the_same_content_only() -> None:
    """A step is repeated when what it is made from has changed."""
    first = set_up.digest([HOUSE / "packages.txt"], "python 3.11")
    assert first == set_up.digest([HOUSE / "packages.txt"], "python 3.11")
    assert first != set_up.digest([HOUSE / "requirements.lock"], "python 3.11")
    assert first != set_up.digest([HOUSE / "packages.txt"], "python 3.12")


def test_each_option_brings_the_lists_before_it() -> None:
    """Who builds the image can also test it, and who only runs the demo installs nothing for either."""
    assert set_up.lists_for([]) == ("packages.txt",)
    assert set_up.lists_for(["--tests"]) == ("packages.txt", "packages-test.txt")
    assert set_up.lists_for(["--image"]) == ("packages.txt", "packages-test.txt", "packages-image.txt")
    assert all((HOUSE / name).exists() for name in set_up.PACKAGES)
