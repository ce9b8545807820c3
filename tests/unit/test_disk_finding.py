"""`doctor` says whether a disk that is carried away can be read."""

import os
from pathlib import Path

import pytest

from kiosk.doctor.findings import disk_finding


def kernel_with(tmp_path: Path, *uuids: str) -> Path:
    """A /sys in which the device below ``tmp_path`` has the first of ``uuids``, and stands on the others."""
    number = tmp_path.stat().st_dev
    kernel = tmp_path / "sys"
    devices = [kernel / "devices" / f"dm-{place}" for place in range(len(uuids))]
    for device, uuid in zip(devices, uuids, strict=True):
        (device / "dm").mkdir(parents=True)
        (device / "dm" / "uuid").write_text(f"{uuid}\n")
    (devices[0] / "slaves").mkdir()
    for below in devices[1:]:
        (devices[0] / "slaves" / below.name).symlink_to(below)
    (kernel / "dev" / "block").mkdir(parents=True)
    (kernel / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(devices[0])
    return kernel


@pytest.mark.parametrize(
    ("uuids", "verdict"),
    [
        (("CRYPT-LUKS2-5d3a-data",), "ok"),
        (("LVM-x", "CRYPT-LUKS2-5d3a-pv"), "ok"),
        (("LVM-x",), "warn"),
        (("",), "warn"),
    ],
)
def test_only_dm_crypt_counts_as_encrypted(tmp_path: Path, uuids: tuple[str, ...], verdict: str) -> None:
    """Encrypted below or at the device is fine; anything else is a warning."""
    assert disk_finding(tmp_path, kernel_with(tmp_path, *uuids)).verdict == verdict


def test_a_folder_on_no_disk_is_a_warning(tmp_path: Path) -> None:
    """What the kernel does not name is not called encrypted."""
    assert disk_finding(tmp_path, tmp_path / "nothing").verdict == "warn"
