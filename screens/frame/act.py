"""Zone 4: at the left go back or stop, at the right the one main button."""

from kiosk.ports import Answer, Role, Stars
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def act(sheet: Sheet, moment: Moment, second_key: int) -> None:
    """``second_key`` is the digit of a SECOND answer that stands here."""
    for answer in standing(moment.question.answers):
        left = answer.role is not Role.MAIN
        digits_are_ours = not isinstance(moment.question.body, Stars)
        key = second_key if answer.role is Role.SECOND and digits_are_ours else -1
        _button(sheet, moment, answer, _place(sheet, left), key)


def standing(answers: tuple[Answer, ...]) -> list[Answer]:
    """The answers of the act zone: MAIN, and BACK or else SECOND."""
    back = [answer for answer in answers if answer.role is Role.BACK]
    left = back or [answer for answer in answers if answer.role is Role.SECOND][:1]
    return left + [answer for answer in answers if answer.role is Role.MAIN]


def _place(sheet: Sheet, left: bool) -> Box:
    zone, (wide, high) = sheet.theme.zones.act, sheet.theme.sizes.button
    return Box(zone.x if left else zone.right - wide, zone.y + (zone.h - high) // 2, wide, high)


def _button(sheet: Sheet, moment: Moment, answer: Answer, box: Box, key: int) -> None:
    main = answer.role is Role.MAIN and not answer.unavailable
    target = Target(acts.of_answer(answer.value), box, key, bool(answer.unavailable), main)
    ink, fill = sheet.button(target, main=main, focus=moment.focus == target.act)
    refused = answer.unavailable if moment.refused == answer.value else None
    words = moment.words(refused or answer.label)
    if key >= 0:
        words = f"{key} {words}"
    inner = box.inset(sheet.theme.sizes.pad, sheet.theme.sizes.outline)
    roles = ("body", "note") if refused else ("label", "body", "note")
    role, lines = sheet.fit(words, inner.w, 3 if refused else 2, roles, not refused, inner.h)
    down = sheet.theme.colour.on_action_down if main else sheet.theme.colour.on_tint
    sheet.middle(
        inner, lines, role, ink, fill, bold=not refused, align="centre", target=target.act, down_colour=down
    )  # fmt: skip
