"""Implements ``ports.SealVerifier`` by a short-lived process per document.

A process, because the PDF and signature libraries cost 60 MB and half a second that the kiosk's own memory and start
need not bear, and because a parser of documents from outside should not share a house with a resident's session.
"""

import math
import os
import subprocess
import sys
from pathlib import Path

import trio

from kiosk.domain.certificate import SealedDocument, SealExpectation, SealFinding
from kiosk.hosts.seal.wire import Order, Verdict, packed, verdict_from
from kiosk.ports import Log

TIME_TOLERANCE_S = 300


class ProcessSealVerifier:
    """``anchors_dir`` holds the agency's authorities (.pem) and their revocation lists (.crl)."""

    def __init__(
        self,
        anchors_dir: Path,
        verify_s_max: float,
        log: Log,
        time_tolerance_s: int = TIME_TOLERANCE_S,
        *,
        production: bool = False,
    ) -> None:
        self._anchors_dir = anchors_dir
        self._verify_s_max = verify_s_max
        self._log = log
        self._time_tolerance_s = time_tolerance_s
        self._production = production

    async def verify(self, pdf: bytes, expected: SealExpectation) -> SealFinding:
        """Only GENUINE may be printed. A process that fails, hangs or babbles is UNREADABLE; nothing is raised."""
        order = Order(
            anchors=str(self._anchors_dir),
            time_tolerance_s=self._time_tolerance_s,
            cpu_s_max=math.ceil(self._verify_s_max),
            production=self._production,
            expected=expected,
        )
        verdict = Verdict(finding=SealFinding.UNREADABLE, reason="too_slow")
        with trio.move_on_after(self._verify_s_max):
            try:
                verdict = await self._checked(packed(order, pdf))
            except OSError as error:  # no room for a process
                verdict = Verdict(finding=SealFinding.UNREADABLE, reason=f"process not started: {error.strerror}")
        self._log("seal_checked", result=verdict.finding.value, reason=verdict.reason)
        return verdict.finding

    async def _checked(self, sent: bytes) -> Verdict:
        done = await trio.run_process(
            # -I and -B: nothing from the environment or the working directory, nothing written
            [sys.executable, "-I", "-B", "-m", "kiosk.hosts.seal"],
            stdin=sent,
            capture_stdout=True,
            stderr=subprocess.DEVNULL,  # a traceback may quote the document
            env={"PATH": os.defpath},
            check=False,
            deliver_cancel=_kill,
        )
        if done.returncode != 0:
            return Verdict(finding=SealFinding.UNREADABLE, reason=f"process ended with {done.returncode}")
        try:
            return verdict_from(done.stdout)
        except ValueError:
            return Verdict(finding=SealFinding.UNREADABLE, reason="no verdict")


def expectation(document: SealedDocument, holder_number: str) -> SealExpectation:
    """What must stand inside a document that was issued for this holder."""
    return SealExpectation(holder_number, document.kind, document.number, document.issued_on)


async def _kill(process: trio.Process) -> None:
    process.kill()
