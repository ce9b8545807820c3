"""Everything Kivy must be told before its first import, in one place."""

import logging
import os
from importlib.util import find_spec
from pathlib import Path

from screens.visual import SDL_NAME, flat_visual


def prepare(width: int, height: int, home: Path) -> None:
    """Set up Kivy for a kiosk: no arguments, no log files, no cursor, no MSAA, one input provider.

    Must run before any ``kivy`` module is imported. ``home`` is where Kivy may write; use the private run directory.
    """
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_FILELOG="1",
        KIVY_NO_CONSOLELOG="1",
        KIVY_LOG_MODE="PYTHON",  # leaves sys.stderr and the root logger alone
        KIVY_HOME=str(home),
        KIVY_DATA_DIR=str(_plain_data(home / "data")),
        KIVY_EVENTLOOP="trio",  # or Kivy's clock imports asyncio, which nothing here uses
        KIVY_WINDOW="sdl2",  # fail loudly, do not try a second provider
        SDL_AUDIODRIVER="dummy",  # speech plays in its own short process
    )
    if SDL_NAME not in os.environ and (visual := flat_visual()) is not None:
        os.environ[SDL_NAME] = hex(visual)
    logging.getLogger("kivy").setLevel(logging.ERROR)  # stderr carries the house's own log lines
    from kivy.config import Config

    for section, option, value in (
        ("graphics", "width", width),
        ("graphics", "height", height),
        ("graphics", "borderless", 1),
        ("graphics", "resizable", 0),
        ("graphics", "position", "custom"),
        ("graphics", "left", 0),
        ("graphics", "top", 0),
        ("graphics", "show_cursor", 0),
        ("graphics", "allow_screensaver", 0),  # Kivy allows one by itself
        ("graphics", "multisamples", 0),  # 0.3 s of start-up; the painter's edges are smooth without
        ("graphics", "maxfps", 0),  # the loop in loop.py decides when to draw
        ("input", "mouse", "mouse,disable_multitouch"),
        ("kivy", "exit_on_escape", 0),
        ("kivy", "log_level", "warning"),
    ):
        Config.set(section, option, value)
    Config.remove_option("input", "%(name)s")  # SDL's mouse alone, or each touch arrives twice


def _plain_data(folder: Path) -> Path:
    """Kivy's own data without its widgets' style, which we have none of: reading it is a tenth of the start."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = find_spec("kivy")
    assert spec is not None and spec.submodule_search_locations
    for part in (Path(spec.submodule_search_locations[0]) / "data").iterdir():
        if part.name != "style.kv" and not (folder / part.name).is_symlink():
            (folder / part.name).symlink_to(part)
    (folder / "style.kv").touch()
    return folder
