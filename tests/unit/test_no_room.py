"""What hangs or fails outside does not take the kiosk along."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import trio

from drivers.card_reader.ldt33.basic import THREADS_MAX, VendorCardReader, VendorSettings
from kiosk.domain.certificate import CertificateKind, SealExpectation, SealFinding
from kiosk.domain.health import Condition, Health
from kiosk.domain.text import say
from kiosk.hosts.seal import ProcessSealVerifier
from kiosk.ports import DeviceContext, DeviceFault
from screens.speech.script import sentence
from screens.speech.speaker import VoiceSpeaker

HANGING_LIBRARY = """
#include <stdlib.h>
#include <unistd.h>
int iReadCardBas(int kind, char *out) {
    out[0] = 0;
    while (access(getenv("HANGS_WHILE"), F_OK) == 0) usleep(5000);
    return -2;
}
"""


@contextmanager
def no_room() -> Iterator[None]:
    """No further file can be opened, so no process can be started either."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open("/dev/null", os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)


def compiled(folder: Path) -> Path:
    source, library = folder / "vendor.c", folder / "vendor.so"
    source.write_text(HANGING_LIBRARY)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True, timeout=60)
    return library


async def test_seal_that_cannot_be_checked_is_unreadable(tmp_path: Path) -> None:
    """Without room for the verifier's process nothing is printed, and the kiosk lives on."""
    told: list[object] = []
    verifier = ProcessSealVerifier(tmp_path, 20.0, lambda event, **fields: told.append(fields["reason"]))
    expected = SealExpectation("1", CertificateKind.INSURANCE, "2", date(2026, 11, 21))
    with no_room():
        assert await verifier.verify(b"%PDF", expected) is SealFinding.UNREADABLE
    assert "not started" in str(told)


def test_voice_without_room_is_silent(tmp_path: Path) -> None:
    """Speech that cannot start leaves the page standing."""
    speaker = VoiceSpeaker(tmp_path)
    with no_room():
        speaker.speak("menu", sentence(say("Help"), "en"), "en")
    assert speaker._player is None


async def test_hanging_vendor_library_uses_up_nothing_that_others_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is asked, a library that never answers holds a few threads; its slot says that it is silent."""
    library, hangs = compiled(tmp_path), tmp_path / "hangs"
    monkeypatch.setenv("HANGS_WHILE", str(hangs))
    reports: list[Health] = []
    context = DeviceContext("card_reader", reports.append, lambda event, **fields: None, tmp_path)
    reader = VendorCardReader(VendorSettings(library=str(library), poll_s=0.01, call_s_max=0.1), context)
    async with trio.open_nursery() as nursery:
        await nursery.start(reader.run)
        hangs.touch()
        try:
            for _ in range(3 * THREADS_MAX):
                with pytest.raises(DeviceFault, match="silent"):
                    await reader.read_identity()
            others = trio.to_thread.current_default_thread_limiter()
            assert others.borrowed_tokens == 0
            assert await trio.to_thread.run_sync(lambda: "free") == "free"
            with trio.move_on_after(0.3):
                await reader.wait_card()
            assert reports[-1] == Health(Condition.UNKNOWN, "silent")
        finally:
            hangs.unlink()
        with trio.fail_after(10):
            await reader.wait_no_card()
        assert reports[-1] == Health(Condition.READY)
        nursery.cancel_scope.cancel()
