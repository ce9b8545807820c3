"""Touch as trembling hands do it: fires on release, forgives 32 px, ignores echoes. No hold, drag or swipe."""

from screens.picture import Picture, Target

SLOP_PX = 32
SETTLE_S = 0.4  # after a change of screen
ECHO_S = 0.5  # a second touch on the same target is the same touch


class Touch:
    """One finger. Times are trio times in seconds, places are pixels from the top left."""

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._deaf_until = 0.0
        self._pressed: Target | None = None
        self._last: tuple[str, float] = ("", -ECHO_S)

    @property
    def pressed(self) -> str:
        """The act of the target under the finger, or ""."""
        return self._pressed.act if self._pressed else ""

    def screen_changed(self, now: float) -> None:
        self._deaf_until = now + self._settle_s
        self._pressed = None

    def deaf(self, now: float) -> bool:
        """Whether the screen changed so short a time ago that nobody can have meant this one."""
        return now < self._deaf_until

    def down(self, picture: Picture, x: float, y: float, now: float) -> str:
        """The act to show as pressed, or ""."""
        self._pressed = None
        if not self.deaf(now):
            self._pressed = next((target for target in picture.targets if target.box.contains(x, y)), None)
        return self.pressed

    def up(self, x: float, y: float, now: float) -> str:
        """The act that this touch fires, or ""."""
        target, self._pressed = self._pressed, None
        if target is None or not target.box.contains(x, y, SLOP_PX):
            return ""
        last, at = self._last
        self._last = (target.act, now)
        return "" if last == target.act and now - at < ECHO_S else target.act
