"""From a moment to its picture: zones are filled in order, each by its own view."""

from kiosk.ports import Answer, Code, Figures, Hands, Number, Question, Role, Stars, Tiles, Waiting
from screens.code import view as code
from screens.figures import view as figures
from screens.frame.act import act, standing
from screens.frame.care import care
from screens.frame.dark import dark
from screens.frame.header import Sign, header
from screens.frame.heading import Paragraph, fits, flow, heading, only_words, paged, paragraphs
from screens.frame.strip import split, strip
from screens.frame.warning import warning
from screens.hands import view as hands
from screens.moment import Moment
from screens.number import view as number
from screens.picture import Picture
from screens.plain import view as plain
from screens.sheet import Sheet
from screens.stars import view as stars
from screens.theme import Box, Theme
from screens.tiles import view as tiles
from screens.waiting import view as waiting

TIGHT_LEAD = 1.25


def compose(moment: Moment, theme: Theme, sign: Sign) -> Picture:
    """The picture of this moment. Pure: the same arguments give the same picture."""
    picture = _composed(moment, theme, sign, counted=False)
    if picture.pages == 1 or isinstance(moment.question.body, Figures | Tiles):
        return picture
    return _composed(moment, theme, sign, counted=True)  # whether words need pages shows only once they are set


def _composed(moment: Moment, theme: Theme, sign: Sign, counted: bool) -> Picture:
    sheet = Sheet(theme)
    sheet.counted = counted
    header(sheet, sign, moment)
    if moment.seconds_left is not None:
        warning(sheet, moment)
    else:
        _question(sheet, moment, sign)
    care(sheet, moment)
    return sheet.picture()


def compose_dark(moment: Moment, theme: Theme) -> Picture:
    """What stands instead of the picture while nobody shall see it."""
    sheet = Sheet(theme)
    dark(sheet, moment)
    return sheet.picture()


def numbered(sheet: Sheet, question: Question) -> list[Answer]:
    """The answers of the work zone: tiles, rows, and a second answer that found no place in the act zone."""
    answers, in_act = question.answers, standing(sheet, question)
    listed = [answer for answer in answers if answer.role in (Role.TILE, Role.ROW)]
    return listed + [answer for answer in answers if answer.role is Role.SECOND and answer not in in_act]


def _question(sheet: Sheet, moment: Moment, sign: Sign) -> None:
    answers = numbered(sheet, moment.question)
    y = heading(sheet, moment)
    act(sheet, moment, second_key=len(answers) + 1)
    zones, gap = sheet.theme.zones, sheet.theme.sizes.gap
    bare = only_words(moment) and not answers
    need = 0 if bare else _least(sheet, moment, answers) + gap // 2
    bottom = max(zones.question.bottom, zones.work.bottom - need)
    parts = _prose(sheet, moment, y, zones.work.bottom if bare else zones.question.bottom)
    if isinstance(moment.question.body, Number) and not sheet.theme.portrait:
        number.draw_wide(sheet, moment, y, zones.work)
        return
    if isinstance(moment.question.body, Code) and not sheet.theme.portrait:
        code.draw_wide(sheet, moment, y, zones.work)
        return
    if isinstance(moment.question.body, Stars):
        parts = _beside_pin(sheet, moment, parts, y, bottom)
    if isinstance(moment.question.body, Tiles) and not fits(sheet, parts, y, bottom):
        parts = []  # a choice is what this page is for: it never stands behind a page of words
    elif isinstance(moment.question.body, Figures) and not fits(sheet, parts, y, bottom):
        above = _above_figures(sheet, moment, answers, y, bottom)
        if above is None:
            return
        parts = above
    elif not fits(sheet, parts, y, bottom) and not isinstance(moment.question.body, Stars | Number | Waiting):
        if _pages_of_words(sheet, moment, parts, y, bare):
            return
        parts = []
    room = _room(sheet, flow(sheet, parts, y))
    if not bare:
        _work(sheet, moment, answers, room, sign)


def _prose(sheet: Sheet, moment: Moment, y: int, bottom: int) -> list[Paragraph]:
    """The explanation in the size of labels where an upright glass has room for it, else in that of the body."""
    for role in ("label", "body") if sheet.theme.portrait else ("body",):
        sheet.prose = role
        parts = paragraphs(sheet, moment)
        if fits(sheet, parts, y, bottom):
            return parts
    return parts


def _beside_pin(sheet: Sheet, moment: Moment, parts: list[Paragraph], y: int, bottom: int) -> list[Paragraph]:
    """No page is turned while the keys belong to the PIN, and its rings keep their room: close lines first, then
    fewer sentences. What is not shown is still spoken; a test holds that no page of ours comes to that."""
    if fits(sheet, parts, y, bottom):
        return parts
    sheet.lead = TIGHT_LEAD
    for count in range(len(moment.question.explain), 0, -1):
        parts = paragraphs(sheet, moment, joined=count)
        if fits(sheet, parts, y, bottom):
            return parts
    return []


def _above_figures(sheet: Sheet, moment: Moment, answers: list[Answer], y: int, bottom: int) -> list[Paragraph] | None:
    """Figures are what such a page is for: above them stand as many sentences as fit, close lines if need be, and where
    that is not all, all of them on pages after the figures. None: this is one of those, and it is drawn."""
    parts, sheet.lead = paragraphs(sheet, moment), TIGHT_LEAD
    kept = next(parts[:count] for count in range(len(parts), -1, -1) if fits(sheet, parts[:count], y, bottom))
    if len(kept) == len(parts):
        return kept
    below, foot = split(sheet, sheet.theme.zones.work)
    chunks = paged(sheet, paragraphs(sheet, moment, beside_strip=True), y, below.bottom)
    sheet.pages_after = len(chunks)
    before = _pages_of_figures(sheet, moment, answers, kept, y)
    if moment.page < before:
        return kept
    strip(sheet, moment, foot, before, hide=False)
    flow(sheet, chunks[min(moment.page - before, len(chunks) - 1)], y)
    return None


def _pages_of_figures(sheet: Sheet, moment: Moment, answers: list[Answer], above: list[Paragraph], y: int) -> int:
    trial = Sheet(sheet.theme)
    trial.prose, trial.lead, trial.pages_after = sheet.prose, sheet.lead, sheet.pages_after
    figures.draw(trial, moment.changed(page=0), answers, _room(trial, flow(trial, above, y)))
    return trial.pages - trial.pages_after


def _room(sheet: Sheet, y: int) -> Box:
    """What is left of the work zone below an explanation that reached ``y``."""
    zones, gap = sheet.theme.zones, sheet.theme.sizes.gap
    top = max(zones.work.y, y + (gap // 2 if y > zones.question.bottom else 0))
    return Box(zones.work.x, top, zones.work.w, zones.work.bottom - top)


def _pages_of_words(sheet: Sheet, moment: Moment, parts: list[Paragraph], y: int, bare: bool) -> bool:
    """Split the screen: pages of explanation first. Whether this page is one of them."""
    below, foot = split(sheet, sheet.theme.zones.work)
    bottom = below.bottom
    chunks = paged(sheet, parts, y, bottom)
    sheet.pages_before = len(chunks) if not bare else len(chunks) - 1
    if moment.page >= len(chunks) and not bare:
        return False
    strip(sheet, moment, foot, 1, hide=False)
    flow(sheet, chunks[min(moment.page, len(chunks) - 1)], y)
    return True


def _least(sheet: Sheet, moment: Moment, answers: list[Answer]) -> int:
    """The least height that the body is still itself in."""
    theme = sheet.theme
    rows = tiles.rows_height(sheet, len(answers))
    match moment.question.body:
        case Figures():
            return theme.line_h("body") * 3 + (theme.sizes.strip_h if theme.portrait else 0) + rows
        case Stars():
            return stars.height(sheet, len(answers))
        case Number():
            return number.height(sheet)
        case Hands():
            return theme.sizes.tile[1] + rows
        case Code() as body:
            return code.height(sheet, moment, body) + rows
        case Waiting():
            return theme.line_h("body") * 4
        case _:
            return tiles.least_height(sheet, answers)


def _work(sheet: Sheet, moment: Moment, answers: list[Answer], box: Box, sign: Sign) -> None:
    match moment.question.body:
        case Figures():
            figures.draw(sheet, moment, answers, box)
        case Stars():
            stars.draw(sheet, moment, answers, box)
        case Number():
            number.draw(sheet, moment, answers, box)
        case Waiting():
            waiting.draw(sheet, moment, answers, box)
        case Code():
            code.draw(sheet, moment, answers, box)
        case Hands():
            hands.draw(sheet, moment, answers, box, sign.terminal.profile)
        case _:
            plain.draw(sheet, moment, answers, box)
