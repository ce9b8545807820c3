"""Compile a C source of this folder into a shared library, once per content."""

import hashlib
import os
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
COMPILE_S_MAX = 60.0


class BuildError(Exception):
    """The compiler refused; the message is its own."""


def build(name: str, directory: Path) -> Path:
    """Compile ``<name>.c`` with gcc into ``directory`` and return the path of the library.

    The file name carries a hash of the source, so a library that is there already is used as it is.

    Raises:
        BuildError: gcc is missing, failed, or took longer than COMPILE_S_MAX.
    """
    source = SOURCES / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    library = directory / f"lib{name}-{digest}.so"
    if library.exists():
        return library
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / f".{library.name}.{os.getpid()}"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(draft), str(source), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=COMPILE_S_MAX)
    except FileNotFoundError as error:
        raise BuildError("gcc is not installed") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(error.stderr.decode(errors="replace")) from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"gcc took longer than {COMPILE_S_MAX} s") from error
    draft.replace(library)  # atomic: two builders at once leave one whole library
    return library
