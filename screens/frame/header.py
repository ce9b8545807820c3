"""Zone 1: the city's mark and name, the place, HH:MM. Nothing here can be touched."""

from dataclasses import dataclass

from kiosk.settings.config import City, Terminal
from screens.moment import Moment
from screens.sheet import Sheet
from screens.theme import Box
from screens.typeface import measure


@dataclass(frozen=True)
class Sign:
    """What a city and a place put on their terminal."""

    city: City
    terminal: Terminal

    def names(self, language: str) -> tuple[str, str]:
        """Name of the city's service and of the place."""
        if language == "en":
            return self.city.name_en, self.terminal.place_en
        return self.city.name_zh, self.terminal.place_zh


def header(sheet: Sheet, sign: Sign, moment: Moment) -> None:
    zone, sizes = sheet.theme.zones.header, sheet.theme.sizes
    colour = sheet.theme.colour
    sheet.panel(zone, colour.header, radius=0)
    side = int(zone.h * 0.66)
    emblem = Box(sizes.margin, zone.y + (zone.h - side) // 2, side, side)
    sheet.drawing(emblem, sign.city.emblem or "emblem", colour.on_header, colour.header)
    clock_w = int(measure("00:00", sheet.theme.type.label, True)) + 1
    clock = Box(zone.right - sizes.margin - clock_w, zone.y, clock_w, zone.h)
    sheet.line(clock, moment.clock, "label", colour.on_header, colour.header, bold=True, align="right")
    left = emblem.right + sizes.pad
    _names(sheet, sign.names(moment.preferences.language), Box(left, zone.y, clock.x - sizes.pad - left, zone.h))


def _names(sheet: Sheet, names: tuple[str, str], box: Box) -> None:
    """Two lines where the header is tall, else side by side while there is room; the city comes first."""
    colour, ground = sheet.theme.colour.on_header, sheet.theme.colour.header
    city, place = names
    role, lines = sheet.fit(city, box.w, 1, ("label", "body", "note"), True)
    city = lines[0]
    city_h, place_h = sheet.theme.line_h(role), sheet.theme.line_h("note")
    if box.h >= city_h + place_h:
        top = box.y + (box.h - city_h - place_h) // 2
        sheet.line(Box(box.x, top, box.w, city_h), city, role, colour, ground, bold=True)
        sheet.line(Box(box.x, top + city_h, box.w, place_h), place, "note", colour, ground)
        return
    sheet.line(box, city, role, colour, ground, bold=True)
    left = box.x + int(measure(city, getattr(sheet.theme.type, role), True)) + 2 * sheet.theme.sizes.pad
    if left + measure(place, sheet.theme.type.note, False) <= box.right:
        sheet.line(Box(left, box.y, box.right - left, box.h), place, "note", colour, ground)
