"""`make check`: style, types, layers and house rules; every check runs even when an earlier one failed."""

import subprocess
import sys
import time
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
BIN = HOUSE / ".venv" / "bin"
CHECK_S_MAX = 600.0

CHECKS: dict[str, list[str]] = {
    "style": [str(BIN / "ruff"), "check", "--quiet", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "types": [str(BIN / "mypy"), "--no-error-summary"],
    "layers": [str(BIN / "lint-imports"), "--no-logo"],
    "tidy": [str(BIN / "python"), "-m", "pytest", "--tb=short", "tests/tidy"],
}


def main() -> int:
    """Run all checks.

    Returns:
        The exit status: 0 all hold, 1 at least one does not.
    """
    failed = [name for name, command in CHECKS.items() if not holds(name, command)]
    print(f"check: {', '.join(failed)} failed" if failed else "check: all hold", flush=True)
    return 1 if failed else 0


def holds(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=HOUSE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=CHECK_S_MAX,
        check=False,
    )
    took = f"{time.monotonic() - started:.1f} s"
    if done.returncode == 0:
        print(f"check: {name} holds ({took})", flush=True)
        return True
    print(f"check: {name} does not hold ({took})\n{done.stdout.decode(errors='replace')}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
