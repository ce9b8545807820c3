"""`make slow`: what is too long for `make test`, within a budget; it names what it skipped: silence is never "fine".

The budget is shared by caps. Test files start at a place that turns with the commit, so that what one run had no time
for comes first in another.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
PYTHON = str(HOUSE / ".venv" / "bin" / "python")
OUT = HOUSE / "out"
GRACE_S = 20.0
PYTEST_FOUND_NOTHING = 5


@dataclass(frozen=True)
class Suite:
    """One part of the run; `share` is its part of what is left of the budget, `needs` a path that may not exist yet.

    Figures depend on the machine: a suite that does not gate is reported and fails nothing. ``longest_s``: of a test
    that does not say by a mark how long it takes at most; none begins that would not end within the cap.
    ``may_be_cut``: its tests take so long on a busy machine that the cap is no verdict; it ends at the first failure,
    so that nothing had failed in what is cut off.
    """

    name: str
    command: tuple[str, ...]
    share: float
    needs: str
    gates: bool = True
    env: tuple[tuple[str, str], ...] = ()
    longest_s: float = 20.0
    may_be_cut: bool = False


def suites(turn: int) -> list[Suite]:
    simulators = (PYTHON, "-m", "simulators")
    other = ("--pin-mode", "A", "--size", "1280x800", "--out", str(OUT / "smoke-a"))
    pytest = (PYTHON, "-m", "pytest", "-m")
    tests, disk = "tests/appliance", "out/image/yikatong.img"
    properties = (PYTHON, "-m", "pytest", "tests/property", "tests/hosts/test_codecs.py", f"--rotate={turn}")
    return [
        Suite("smoke", (*simulators, "smoke", "--out", str(OUT / "smoke")), 0.3, "simulators/smoke"),
        Suite("smoke, mode A on a wide panel", (*simulators, "smoke", *other), 0.3, "simulators/smoke"),
        # Other examples at every run, a thousand each: what breaks is printed and can be repeated.
        Suite("wide properties", properties, 0.3, "tests/property", env=(("HYPOTHESIS_PROFILE", "wide"),)),
        # A thousand histories of a whole kiosk, other seeds at every run. A seed that breaks a rule is told with its
        # story and becomes a test of its own. What it breaks may be older than this commit, so it does not gate; known
        # seeds do, in tests/simulation/test_histories.py.
        Suite(
            "histories",
            (*simulators, "simulate", f"--seed={1000 * turn}", "--runs=1000"),
            0.4,
            "simulators/worlds",
            gates=False,
        ),
        Suite("slow tests", (*pytest, "slow and not appliance", f"--rotate={turn}"), 0.6, "tests", longest_s=240.0),
        Suite("image", ("make", "image"), 0.7, "image/build.py"),
        Suite("appliance", (*pytest, "appliance and not emulated", f"--rotate={turn}"), 0.9, tests, longest_s=540.0),
        # A machine that is a program wants both cores and minutes: what does not fit today comes first another day, and
        # all of it is `make test-image`.
        Suite(
            "emulated",
            (*pytest, "emulated", "-x", f"--rotate={turn}"),
            0.8,
            disk,
            longest_s=420.0,
            may_be_cut=True,
        ),
        Suite("bench", (*simulators, "bench"), 0.9, "simulators/bench", gates=False),
    ]


def main() -> int:
    """Run every suite within the budget.

    Returns:
        The exit status: 0 all that ran passed, 1 something failed or was cut off.
    """
    parser = argparse.ArgumentParser(description="what takes longer than `make test`, within a budget")
    parser.add_argument("--budget-min", type=float, default=55.0, help="minutes for everything together")
    ends = time.monotonic() + parser.parse_args().budget_min * 60
    verdicts = [run(suite, ends) for suite in suites(commit_number())]
    for line in verdicts:
        print(f"slow: {line}", flush=True)
    return 1 if any(is_failure(line) for line in verdicts) else 0


def is_failure(told: str) -> bool:
    return "failed:" in told or "cut off" in told


def commit_number() -> int:
    """The first digits of the commit's hash as a number; 0 outside a clone."""
    answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HOUSE, capture_output=True, text=True, check=False)
    return int(answer.stdout[:6] or "0", 16)


def run(suite: Suite, ends: float) -> str:
    if not any((HOUSE / suite.needs).parent.glob(f"{Path(suite.needs).name}*")):
        return f"{suite.name}: skipped, {suite.needs} does not exist"
    cap_s = (ends - time.monotonic()) * suite.share
    if cap_s < GRACE_S:
        return f"{suite.name}: skipped, the budget is spent"
    command = list(suite.command)
    if "pytest" in command:
        command += [f"--minutes={max(0.0, cap_s - GRACE_S) / 60:.2f}", f"--longest={suite.longest_s:g}"]
    print(f"slow: {suite.name}, at most {cap_s / 60:.1f} min", flush=True)
    return verdict(suite, run_within(command, cap_s, dict(suite.env)), cap_s)


def verdict(suite: Suite, status: int | None, cap_s: float) -> str:
    """What is told of a suite that ran. ``status``: None where the cap ended it."""
    if status is None:
        counts = suite.gates and not suite.may_be_cut
        return f"{suite.name}: {'cut off' if counts else 'ended, nothing had failed,'} after {cap_s / 60:.1f} min"
    if status == PYTEST_FOUND_NOTHING and "pytest" in suite.command:
        return f"{suite.name}: skipped, no test is marked slow"
    if status == 0:
        return f"{suite.name}: passed"
    return f"{suite.name}: {'failed:' if suite.gates else 'missed, which gates nothing:'} status {status}"


def run_within(command: list[str], cap_s: float, env: Mapping[str, str] | None = None) -> int | None:
    """The exit status, or None when the cap came first; then the whole process group is ended."""
    process = subprocess.Popen(
        command, cwd=HOUSE, stdin=subprocess.DEVNULL, start_new_session=True, env={**os.environ, **(env or {})}
    )
    try:
        return process.wait(cap_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_group(process)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, a while to clean up, SIGKILL; nothing of the suite stays."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
