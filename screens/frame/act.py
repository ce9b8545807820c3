"""Zone 4: at the left go back or stop, at the right the one main button."""

from kiosk.ports import Answer, Figures, Question, Role, Stars
from screens import acts
from screens.moment import Moment
from screens.picture import Target
from screens.sheet import Sheet
from screens.theme import Box


def act(sheet: Sheet, moment: Moment, second_key: int) -> None:
    """``second_key`` is the digit of a SECOND answer that stands here."""
    answers = standing(sheet, moment.question)
    for answer in answers:
        digits_are_ours = not isinstance(moment.question.body, Stars)
        key = second_key if answer.role is Role.SECOND and digits_are_ours else -1
        _button(sheet, moment, answer, _place(sheet, answer, answers), key)


def standing(sheet: Sheet, question: Question) -> list[Answer]:
    """The answers of the act zone: MAIN, and BACK or else SECOND; on a wide glass SECOND between both, where figures
    need all the height there is."""
    answers = question.answers
    back, second, main = (
        [answer for answer in answers if answer.role is role] for role in (Role.BACK, Role.SECOND, Role.MAIN)
    )
    three = not sheet.theme.portrait and isinstance(question.body, Figures) and len(second) == 1 and back and main
    return [*back, *second, *main] if three else [*(back or second[:1]), *main]


def _place(sheet: Sheet, answer: Answer, answers: list[Answer]) -> Box:
    zone, (wide, high) = sheet.theme.zones.act, sheet.theme.sizes.button
    y = zone.y + (zone.h - high) // 2
    if len(answers) == 3:
        wide = (zone.w - 2 * sheet.theme.sizes.gap) // 3
        return Box(zone.x + answers.index(answer) * (wide + sheet.theme.sizes.gap), y, wide, high)
    return Box(zone.right - wide if answer.role is Role.MAIN else zone.x, y, wide, high)


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
