"""The questions of a visit that belong to no service: welcome, out of order, card problems, help, goodbye."""

from kiosk.domain.card import CardIdentity, CardState
from kiosk.domain.identity import mask_name
from kiosk.domain.text import Bilingual, Day, Name, Text, say
from kiosk.ports import Answer, Hands, Place, Plain, Question, Role, Tiles, Tone, Visit, Waiting
from kiosk.settings.config import Settings
from kiosk.settings.hours import Hours

_UNDERSTOOD = Answer("understood", say("Understood"), Role.MAIN)
CARD_LOST = "card_lost"
_TAKE_CARD = Answer("take_card", say("Finish, take my card"), Role.BACK)


def insert_card() -> Question:
    return Question(
        "insert_card",
        say("Insert your social security card"),
        (say("Chip up, into the lit slot."), say("No card? Touch the button below.")),
        Hands((Place.CARD_SLOT,)),
        (Answer("no_card", say("I have no card with me"), Role.SECOND, icon="card"),),
        Tone.HANDS,
        spoken=say("Welcome. Insert your social security card, chip up, into the lit slot."),
    )


def getting_ready() -> Question:
    """While it is not known yet what the card slot holds: a card put in now could not be told from a forgotten one."""
    return Question("getting_ready", say("One moment, please"), (say("Please do not insert a card."),))


def no_card(settings: Settings) -> Question:
    lost = Answer(CARD_LOST, say("My card is lost"), Role.SECOND, icon="card")
    place = Bilingual(settings.pin.reset_place_zh, settings.pin.reset_place_en)
    return Question(
        "no_card",
        say("This machine needs the card"),
        (
            say("The card keeps others out of your account."),
            say("Lost it? Call {number} at once.", number=settings.loss.telephone),
            say("Without a card, {place} can help you.", place=place),
        ),
        answers=(lost, _UNDERSTOOD) if settings.loss.by_number else (_UNDERSTOOD,),
    )


def out_of_order(settings: Settings) -> Question:
    return Question(
        "out_of_order",
        say("This machine cannot read cards now"),
        (
            say("Please do not insert a card."),
            say("Use another machine or the counter."),
            say("Telephone: {number}", number=settings.terminal.telephone),
        ),
        Plain(),
        tone=Tone.STOP,
    )


def not_open(settings: Settings, why: str, *, card_in: bool = False) -> Question:
    """Taken out of service, outside of its hours, or about to start anew (``kiosk.visit.opening``)."""
    elsewhere = say("Use another machine or the counter.")
    telephone = say("Telephone: {number}", number=settings.terminal.telephone)
    heading, explain = {
        "closed": (say("This machine is closed now"), (_hours(settings.hours), elsewhere, telephone)),
        "paused": (
            say("One moment, please"),
            (say("This machine starts anew. It takes a minute."), say("Please do not insert a card.")),
        ),
    }.get(why, (say("This machine is out of service"), (elsewhere, telephone)))
    return Question(f"not_open_{why}", heading, explain, answers=(_TAKE_CARD,) if card_in else (), tone=Tone.STOP)


def _hours(hours: Hours) -> Text:
    if not hours.opens:
        return say("It is open again another day.")
    return say("It is open from {opens} to {closes}.", opens=hours.opens, closes=hours.closes)


def reading_card() -> Question:
    return Question(
        "reading_card",
        say("Reading your card"),
        (say("Please leave the card in the slot."),),
        Waiting(say("Reading the chip")),
    )


def card_problem(reason: str) -> Question:
    """A card that cannot be served. Never says "lost" or "fake" aloud: the person in front may be its victim."""
    heading, explain = {
        "card_mute": (
            say("The chip does not answer"),
            (say("Take the card out and wipe the chip."), say("Then insert it again, chip up.")),
        ),
        "card_foreign": (
            say("This is not a social security card"),
            (say("Take it out and insert the social security card."),),
        ),
        "ask_staff": (
            say("Staff must look at this card first"),
            (say("Your card is safe."), say("Please ask staff, or go to the counter.")),
        ),
        "no_authority": (
            say("The card cannot be checked right now"),
            (
                say("Without this check nothing personal is shown."),
                say("Try again in a few minutes, or at the counter."),
            ),
        ),
    }.get(
        reason,
        (
            say("This card cannot be used here"),
            (say("Please take it to the counter."), say("Staff there can tell you why.")),
        ),
    )
    return Question(f"card_problem_{reason}", heading, explain, answers=(_TAKE_CARD,), tone=Tone.STOP)


def card_state_problem(state: CardState, settings: Settings) -> Question:
    place = Bilingual(settings.pin.reset_place_zh, settings.pin.reset_place_en)
    heading = {
        CardState.NOT_ENABLED: say("This card is not switched on yet"),
        CardState.SEALED: say("This card is put aside by the office"),
        CardState.CANCELLED: say("This card has been cancelled"),
    }.get(state, say("This card cannot be used here"))
    return Question(
        f"card_state_{state.value}",
        heading,
        (say("Please take it to {place}.", place=place), say("Staff there can tell you why.")),
        answers=(_TAKE_CARD,),
        tone=Tone.STOP,
    )


def card_expired(identity: CardIdentity) -> Question:
    assert identity.expires is not None
    return Question(
        "card_expired",
        say("Your card ran out on {day}", day=Day(identity.expires)),
        (say("You can still look and print here."), say("Ask the counter for a new card.")),
        answers=(Answer("go_on", say("Go on"), Role.MAIN), _TAKE_CARD),
        tone=Tone.CAUTION,
    )


def menu(visit: Visit, tiles: tuple[Answer, ...]) -> Question:
    """Greets by masked name: the queue can read zone 2 over a shoulder."""
    name = mask_name(visit.holder.name)
    heading: Text = (
        say("{name}, what would you like to do?", name=Name(name)) if name else say("What would you like to do?")
    )
    return Question(
        "menu",
        heading,
        (say("Your card stays in until you finish."),),
        Tiles(),
        (*tiles, _TAKE_CARD),
        spoken=say("What would you like to do?"),
    )


def help_called(minutes: int, code: str) -> Question:
    return Question(
        "help_called",
        say("Staff have been called and answered"),
        (
            say("They come in about {minutes} minutes.", minutes=minutes),
            say("Your card is safe. You do not have to touch anything."),
        ),
        answers=(_UNDERSTOOD,),
        case_code=code,
    )


def nobody_there(settings: Settings, code: str) -> Question:
    return Question(
        "nobody_there",
        say("No staff answered here"),
        (
            say("Your card is safe."),
            say("Call {number} and give the number below.", number=settings.terminal.telephone),
        ),
        answers=(_UNDERSTOOD,),
        tone=Tone.CAUTION,
        case_code=code,
    )


def take_card(*, with_paper: bool, forgotten: bool, outlets: tuple[Place, ...] = (Place.PAGE_OUTLET,)) -> Question:
    heading = say("Take your card and your paper") if with_paper else say("Take your card")
    explain = (
        (say("You left your card in the machine."), say("Your page is closed. Take the card with you."))
        if forgotten
        else (say("Leave nothing in the machine."),)
    )
    places = (Place.CARD_SLOT, *outlets) if with_paper else (Place.CARD_SLOT,)
    return Question(
        "card_left" if forgotten else "take_card",
        heading,
        explain,
        Hands(places, taking=True, calling=forgotten),
        tone=Tone.HANDS,
    )


def card_inside(*, pin_in_doubt: bool) -> Question:
    """After a power cut, or a reader that was away: whoever stands there did not forget anything."""
    doubt = (say("Changing the PIN? The old or the new one may be valid."),) if pin_in_doubt else ()
    return Question(
        "card_inside",
        say("Take your card"),
        (
            say("The machine had stopped for a moment."),
            say("Your card is safe, and so is money you put in."),
            say("Insert the card again to go on."),
            *doubt,
        ),
        Hands((Place.CARD_SLOT,), taking=True, calling=True),
        tone=Tone.HANDS,
    )


def take_paper(outlets: tuple[Place, ...] = (Place.PAGE_OUTLET, Place.RECEIPT_OUTLET)) -> Question:
    """Nobody sees whether it was taken, so the resident says so."""
    return Question(
        "take_paper",
        say("Take your paper"),
        (say("It carries your personal details. Leave nothing behind."),),
        Hands(outlets),
        (_UNDERSTOOD,),
        Tone.HANDS,
    )


def paper_left(outlets: tuple[Place, ...]) -> Question:
    """The printer sees it lie there: stands, and calls, until it is gone."""
    return Question(
        "paper_left",
        say("Take your paper"),
        (say("It carries your personal details. Leave nothing behind."),),
        Hands(outlets, taking=True),
        tone=Tone.HANDS,
    )
