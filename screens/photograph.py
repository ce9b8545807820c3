"""A picture of the glass as PNG, for whoever runs the fleet. Which pages may be shown is not decided here."""

import io

from PIL import Image

from screens.app import KivyScreen

HALVED = 2  # sides; a page is read well at half its size, and a village's line is thin


def photograph(screen: KivyScreen) -> tuple[str, bytes]:
    """Name of the page that is meant, and what stands on the glass."""
    width, height, pixels = screen._glass.pixels()  # of one package: a property would be everybody's
    whole = Image.frombytes("RGB", (width, height), pixels).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    out = io.BytesIO()
    whole.resize((width // HALVED, height // HALVED)).quantize(64).save(out, "PNG", optimize=True)
    return screen._moment.question.name, out.getvalue()
