"""What is in an image, for people (a list) and for programs (CycloneDX 1.5, JSON): every Debian and Python package."""

import email
import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from image.root import EPOCH

STATUS = Path("usr/lib/yikatong-image/dpkg/status")
SITE = Path("usr/lib/yikatong/venv/lib/python3.11/site-packages")
NAMESPACE = uuid.UUID("8d6a2f10-52c4-4f4e-9a0b-1c64e5b0a0ff")  # made up once, for serial numbers by content


@dataclass(frozen=True, order=True)
class Part:
    """``kind``: deb or pypi. ``source``: the source package where it has another name."""

    kind: str
    name: str
    version: str
    source: str = ""
    architecture: str = ""

    @property
    def purl(self) -> str:
        """https://github.com/package-url/purl-spec, types deb and pypi."""
        if self.kind == "deb":
            return f"pkg:deb/debian/{self.name}@{_quoted(self.version)}?arch={self.architecture}&distro=bookworm"
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{_quoted(self.version)}"


def parts(tree: Path) -> list[Part]:
    """Everything that was installed into ``tree``, in order."""
    return sorted([*_debian(tree / STATUS), *_python(tree / SITE)])


def manifest(found: list[Part]) -> str:
    return "".join(f"{part.kind}\t{part.name}\t{part.version}\n" for part in found)


def bill_of_materials(found: list[Part], version: str) -> str:
    """A CycloneDX document: the same parts, the same bytes."""
    made_of = hashlib.sha256(manifest(found).encode()).hexdigest()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, made_of)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "operating-system", "name": "yikatong-image", "version": version},
        },
        "components": [_component(part) for part in found],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(part: Part) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
    }
    if part.source:
        component["properties"] = [{"name": "yikatong:debian-source", "value": part.source}]
    return component


def _debian(status: Path) -> Iterator[Part]:
    for stanza in status.read_text(encoding="utf-8").strip().split("\n\n"):
        package = email.message_from_string(stanza)
        if package["Status"] == "install ok installed":
            source = (package["Source"] or "").split(" ")[0]
            yield Part("deb", package["Package"], package["Version"], source, package["Architecture"])


def _python(site: Path) -> Iterator[Part]:
    for about in site.glob("*.dist-info/METADATA"):
        package = email.message_from_string(about.read_text(encoding="utf-8"))
        yield Part("pypi", package["Name"], package["Version"])


def _quoted(version: str) -> str:
    return version.replace("+", "%2B").replace(":", "%3A")
