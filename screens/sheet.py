"""The sheet on which a view lays out its items. It knows how text breaks, not what it says."""

import re
from dataclasses import replace

from kiosk.ports import Figure
from screens.lines import break_lines
from screens.picture import Drawing, Item, Panel, Picture, Target, Words
from screens.theme import LEADS, Box, Theme
from screens.typeface import measure

TIGHT = 1.12  # lead of lines inside a button
LATIN = re.compile(r"[A-Za-z]+")
HAN = re.compile(r"[\u2e80-\u9fff]")
LATIN_SHARE = 1.6  # 18 ems of hanzi read like 29 ems of Latin letters


class Sheet:
    """Collects items from back to front."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.items: list[Item] = []
        self.targets: list[Target] = []
        self.figures: list[Figure] = []
        self.pages = 1
        self.counted = False  # the count of pages stands at the right of the question, on a wide glass
        self.prose = "body"  # role of the explanation; an upright glass often has room for a larger one
        self.lead = LEADS["body"]  # of the explanation
        self.pages_before = 0  # pages of explanation that precede those of the body
        self.pages_after = 0  # and of what did not stand above figures, after theirs

    def picture(self) -> Picture:
        return Picture(self.theme.colour.paper, tuple(self.items), tuple(self.targets), self.pages, tuple(self.figures))

    def panel(self, box: Box, fill: str, outline: str = "", outline_px: int = 0, radius: int = -1) -> None:
        """A card nobody touches."""
        round_px = self.theme.sizes.radius if radius < 0 else radius
        self.items.append(Panel(box, fill, outline, outline_px, round_px))

    def drawing(self, box: Box, name: str, ink: str, fill: str = "", target: str = "", down_ink: str = "") -> None:
        self.items.append(Drawing(box, name, ink, fill or ink, target, down_ink))

    def button(self, target: Target, main: bool = False, focus: bool = False, chosen: bool = False) -> tuple[str, str]:
        """The ground of something touchable; answers (text colour, ground) for what stands on it."""
        colour, sizes = self.theme.colour, self.theme.sizes
        if focus:
            self._ring(target.box)
        if main:
            fill, ink, down = colour.action, colour.on_action, (colour.action_down, sizes.outline)
            outline = colour.action
        elif chosen:
            fill, ink, down, outline = colour.ink, colour.paper, (colour.ink, sizes.outline * 2), colour.ink
        elif target.refuses:
            fill, ink, down, outline = colour.sunken, colour.ink2, (colour.sunken, sizes.outline * 2), colour.line
        else:
            fill, ink, down, outline = colour.surface, colour.ink, (colour.tint, sizes.outline * 2), colour.line
        self.items.append(Panel(target.box, fill, outline, sizes.outline, sizes.radius, target.act, down))
        self.targets.append(target)
        return ink, fill

    def _ring(self, box: Box) -> None:
        outer = box.inset(-9)
        self.panel(outer, self.theme.colour.ring, radius=self.theme.sizes.radius + 9)
        self.panel(box.inset(-3), self.theme.colour.ring_gap, radius=self.theme.sizes.radius + 3)

    def line(
        self, box: Box, words: str, role: str, colour: str, ground: str, *,
        bold: bool = False, align: str = "left", size: int = 0, target: str = "", down_colour: str = "",
    ) -> None:  # fmt: skip
        """One line inside ``box`` (its height is the line's), set at the left, right or centre."""
        em = size or getattr(self.theme.type, role)
        width = int(measure(words, em, bold) + 0.999)
        x = {"left": box.x, "right": box.right - width, "centre": box.x + (box.w - width) // 2}[align]
        self.items.append(
            Words(Box(x, box.y, width, box.h), words, em, bold, colour, ground, target, down_colour or colour)
        )

    def fit(
        self, words: str, width: int, lines: int, roles: tuple[str, ...], bold: bool, height: int = 0
    ) -> tuple[str, tuple[str, ...]]:
        """The first of ``roles`` in which ``words`` takes at most ``lines`` lines and ``height`` px; those lines."""
        broken: tuple[str, ...] = ()
        for role in roles:
            broken = self.lines(words, width, role, bold)
            high = len(broken) * self.tight(role)
            if len(broken) <= lines and (not height or high <= height) and self._whole(words, width, role, bold):
                return role, broken
        return roles[-1], broken

    def tight(self, role: str) -> int:
        """Line height inside buttons."""
        return round(getattr(self.theme.type, role) * TIGHT)

    def _whole(self, words: str, width: int, role: str, bold: bool) -> bool:
        """Whether no word had to be cut in two."""
        em = getattr(self.theme.type, role)
        return all(measure(piece, em, bold) <= width for piece in LATIN.findall(words))

    def lines(self, words: str, width: int, role: str, bold: bool) -> tuple[str, ...]:
        """``words`` broken for ``width`` and for the most characters a line may have."""
        em = getattr(self.theme.type, role)
        most = self.theme.line_chars if HAN.search(words) else self.theme.line_chars * LATIN_SHARE
        return break_lines(words, min(width, round(em * most)), em, bold)

    def block(
        self, box: Box, lines: tuple[str, ...], role: str, colour: str, ground: str, *,
        bold: bool = False, align: str = "left", target: str = "", down_colour: str = "", lead: float = 0,
    ) -> int:  # fmt: skip
        """Lines from the top of ``box`` down; answers the y below the last."""
        step = round(getattr(self.theme.type, role) * (lead or LEADS[role]))
        for index, words in enumerate(lines):
            row = Box(box.x, box.y + index * step, box.w, step)
            self.line(row, words, role, colour, ground, bold=bold, align=align, target=target, down_colour=down_colour)
        return box.y + len(lines) * step

    def middle(
        self, box: Box, lines: tuple[str, ...], role: str, colour: str, ground: str, *,
        bold: bool = False, align: str = "left", target: str = "", down_colour: str = "",
    ) -> None:  # fmt: skip
        """Lines in the vertical middle of ``box``, close together."""
        top = box.y + max(0, (box.h - self.tight(role) * len(lines)) // 2)
        self.block(
            replace(box, y=top), lines, role, colour, ground,
            bold=bold, align=align, target=target, down_colour=down_colour, lead=TIGHT,
        )  # fmt: skip
