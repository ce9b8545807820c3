"""The recipe of the image, as far as it can be judged without its tools."""

import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from image.inventory import Part, bill_of_materials, manifest
from image.root import listed
from tests.tidy.sources import HOUSE

FOUND = [Part("deb", "dash", "0.5.12-2", "", "amd64"), Part("pypi", "Kivy", "2.3.1")]
SCHEMA = JsonStrictValidator(SchemaVersion.V1_5)


def test_every_package_of_the_image_has_a_reason() -> None:
    """Each line of the list says what it is for; none is in the terminal's own list as well."""
    path = HOUSE / "image" / "packages.txt"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not line.partition("#")[2].strip()] == []
    assert not set(listed(path)) & set(listed(HOUSE / "packages-terminal.txt"))


def test_the_bill_names_every_part_once() -> None:
    """A part is known by its package URL; the same parts give the same document, others another serial number."""
    document = json.loads(bill_of_materials(FOUND, "1.0"))
    assert [part["purl"] for part in document["components"]] == [
        "pkg:deb/debian/dash@0.5.12-2?arch=amd64&distro=bookworm",
        "pkg:pypi/kivy@2.3.1",
    ]
    assert bill_of_materials(FOUND, "1.0") == bill_of_materials(list(FOUND), "1.0")
    assert json.loads(bill_of_materials(FOUND[:1], "1.0"))["serialNumber"] != document["serialNumber"]
    assert manifest(FOUND).splitlines() == ["deb\tdash\t0.5.12-2", "pypi\tKivy\t2.3.1"]


def test_the_bill_is_what_its_format_says() -> None:
    """By the published schema of CycloneDX 1.5, with nothing that it does not name; a wrong one does not pass."""
    bill = bill_of_materials([*FOUND, Part("deb", "libkmod2", "1:30+2", "kmod", "amd64")], "1.0")
    assert SCHEMA.validate_str(bill) is None
    for right, wrong in (
        ('"library"', '"package"'), ('"version": 1,', '"version": "1",'), ("urn:uuid:", "urn:"), ('"purl"', '"url"'),
        ('T00:00:00Z"', '"'),
    ):  # fmt: skip
        assert right in bill
        assert SCHEMA.validate_str(bill.replace(right, wrong)) is not None, wrong
