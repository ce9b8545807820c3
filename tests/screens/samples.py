# ruff: noqa: E501 (both wordings of a sentence on one line)
"""Questions of every kind, with the hardest texts of the tone table and names nobody has."""

from datetime import date

from kiosk.domain.money import Fen
from kiosk.domain.text import Amount, Bilingual, Day, Month, Name, Text, say
from kiosk.ports import (
    Answer,
    Figure,
    Figures,
    Hands,
    Number,
    Place,
    Plain,
    Question,
    Role,
    Stars,
    Tiles,
    Tone,
    Waiting,
)

LONG_NAME = "阿卜杜热西提·买买提依明江"
RARE_NAME = "㐂𠮷䶮𪚥"


def samples() -> dict[str, Question]:
    """Every sample by its name. Samples are data, so no catalog holds them."""

    def t(zh: str, en: str) -> Text:
        return say("{words}", words=Bilingual(zh, en))

    stop = Answer("stop", t("先不试了", "Stop here"), Role.MAIN)
    again = Answer("again", t("再试一次", "Try once more"), Role.BACK)
    back = Answer("back", t("返回", "Go back"), Role.BACK)
    take = Answer("back", t("结束,取卡", "Stop and take the card"), Role.BACK)
    found = [
        Question(
            "attract",
            t("把社保卡芯片朝上,插进亮灯的卡口", "Insert your card, chip up, into the lit slot"),
            (t("没带卡?按下面。", "No card? Touch below."),),
            Hands((Place.CARD_SLOT,)),
            (Answer("no_card", t("没带卡", "I have no card"), Role.SECOND),),
            Tone.HANDS,
        ),
        Question(
            "menu",
            t("您想办什么?", "What would you like to do?"),
            (t("卡在机器里。办完会还给您。", "Your card is in the terminal. You get it back at the end."),),
            Tiles(),
            (
                Answer("query", t("查余额和缴费", "Check balances"), icon="account"),
                Answer("certificate", t("打印参保证明", "Print an insurance certificate"), icon="certificate"),
                Answer("pin", t("改社保卡密码", "Change the card PIN"), icon="pin"),
                Answer(
                    "bill", t("看病结算", "Pay a hospital bill"), icon="sheet",
                    unavailable=t("收费口没有开。请到 3 号窗口办。", "The cash desk is closed. Please go to counter 3."),
                ),
                take,
            ),
        ),
        Question(
            "many",
            t("打印哪一种证明?", "Which certificate?"),
            (),
            Tiles(),
            (
                *(
                    Answer(f"kind{n}", t(f"第 {n} 种参保缴费证明", f"Contribution certificate {n}"), icon="sheet")
                    for n in range(1, 11)  # as many as a menu ever has
                ),
                back,
            ),
        ),
        Question(
            "rows",
            t("请选一张", "Choose one"),
            (t("卡在机器里。", "Your card is in the terminal."),),
            Plain(),
            (
                Answer("a", t("城镇职工养老保险", "Employees' pension insurance"), Role.ROW, note=t("已缴 182 个月", "182 months paid")),
                Answer("b", t("城乡居民医疗保险", "Residents' medical insurance"), Role.ROW),
                back,
            ),
        ),
        Question(
            "pin",
            t("请按社保卡密码", "Enter your social security PIN"),
            (
                t("在下方键盘按 6 位数字,按完按绿色确认。", "Use the keypad below, then press the green key."),
                t("不是银行密码。", "It is not the bank PIN."),
                t("用另一只手挡一下。", "Cover it with your other hand."),
            ),
            Stars(6, 6),
            (take, Answer("forgot", t("我忘了密码", "I forgot the PIN"), Role.SECOND, icon="person")),
        ),
        Question(
            "wrong_pin",
            t("密码不对,卡没有问题", "That PIN is not right. Your card is fine."),
            (
                t("还可以再试 2 次。", "You have 2 tries left."),
                t("忘了就先别试,去窗口能重设。", "If you forgot it, stop here; the counter can reset it."),
            ),
            Plain(),
            (Answer("again", t("再按一次密码", "Enter it again"), Role.MAIN), take),
            Tone.CAUTION,
        ),
        Question(
            "last_try",
            t("只剩最后 1 次", "One try left"),
            (
                t("再错,密码会锁住,要带身份证到窗口解开。", "If it is wrong, the PIN locks and the counter must unlock it."),
                t("卡没有问题。", "Your card is fine."),
            ),
            Plain(),
            (stop, again),
            Tone.CAUTION,
        ),
        Question(
            "locked",
            t("社保密码锁住了", "Your social security PIN is locked"),
            (
                t("银行卡和养老金照常用。", "Your bank side and pension still work."),
                t("看病刷卡要先解锁。", "To pay at a hospital it must be unlocked first."),
                t("请带身份证到 3 号窗口。", "Take your ID card to counter 3."),
            ),
            Plain(),
            (take,),
            Tone.STOP,
            case_code="451207",
        ),
        Question(
            "balance",
            t("您的账户", "Your accounts"),
            (t("看看身后,有人就按遮住金额。", "Look behind you. If someone is near, touch Hide."),),
            Figures(
                (
                    Figure(t("姓名", "Name"), Name(LONG_NAME)),
                    Figure(t("医保个人账户", "Medical personal account"), Amount(Fen(123450))),
                    Figure(t("养老个人账户", "Pension personal account"), Amount(Fen(9876543210)), t("截至 2026 年 10 月", "As of October 2026")),
                    Figure(t("合计", "Total"), Amount(Fen(9876666660)), heading=True),
                )
            ),
            (back, Answer("print", t("打凭条", "Print a receipt"), Role.MAIN, "receipt")),
        ),
        Question(
            "contributions",
            t("近 13 个月缴费", "Contributions of 13 months"),
            (),
            Figures(
                tuple(
                    row
                    for month in range(1, 14)
                    for row in (
                        Figure(say("{month}", month=Month(f"2026-{month:02d}" if month < 13 else "2027-01")), heading=True),
                        Figure(t("养老保险", "Pension"), Amount(Fen(80000 + month)), t("单位缴 16%,个人缴 8%", "Employer 16%, you 8%")),
                        Figure(t("医疗保险", "Medical"), Amount(Fen(20000 + month))),
                    )
                )
            ),
            (back,),
        ),
        Question(
            "rare_name",
            say("{words}", words=Name(RARE_NAME)),
            (t("出生日期在下面。", "The day of birth is below."),),
            Figures((Figure(t("姓名", "Name"), Name(RARE_NAME + "·" + LONG_NAME)), Figure(t("出生", "Born"), Day(date(1990, 2, 28)))), secret=False),
            (back, Answer("yes", t("是我", "That is me"), Role.MAIN)),
        ),
        Question(
            "number",
            t("100 元的有几张?", "How many notes of 100 yuan?"),
            (),
            Number(4),
            (back, Answer("given", t("数好了", "Counted"), Role.MAIN)),
        ),
        Question(
            "waiting",
            t("正在问社保中心", "Asking the agency"),
            (t("卡在机器里,不用动。", "Your card is in the terminal. Leave it there."),),
            Waiting(t("正在查您的缴费记录", "Looking up your contributions")),
        ),
        Question(
            "take",
            t("请取走卡和凭条", "Take your card and receipt"),
            (t("上面有您的个人信息,别留在机器里。", "They carry your personal details."),),
            Hands((Place.CARD_SLOT, Place.RECEIPT_OUTLET), taking=True),
            (),
            Tone.HANDS,
        ),
        Question(
            "feed",
            t("请放入纸币,还差 60 元", "Put in notes: 60 yuan to go"),
            (t("卡先别拔,最后找零。", "Leave the card in the slot. Change comes at the end."),),
            Hands((Place.NOTE_SLOT,)),
            (back,),
            Tone.HANDS,
        ),
        Question(
            "printed",
            t("证明打好了", "Your certificate is printed"),
            (t("从下面的出纸口取走。", "Take it from the outlet below."), t("卡还在机器里。", "Your card is still in the terminal.")),
            Hands((Place.PAGE_OUTLET,)),
            (take, Answer("more", t("再办别的", "Do something else"), Role.MAIN)),
            Tone.DONE,
        ),
        Question(
            "changed",
            t("密码改好了", "Your PIN is changed"),
            (t("下次看病、取款以外的业务用新密码。", "Use the new PIN from now on."), t("银行卡密码没有变。", "Your bank PIN has not changed.")),
            Plain(),
            (take, Answer("more", t("再办别的", "Do something else"), Role.MAIN)),
            Tone.DONE,
        ),
        Question(
            "no_answer",
            t("社保中心还没有回话", "The agency has not answered"),
            (
                t("卡在机器里,没有扣钱。", "Your card is in the terminal. No money moved."),
                t("过一会儿再查,或到 3 号窗口问。", "Try again later, or ask at counter 3."),
                t("打 0000-12333,报下面的编号。", "Call 0000-12333 and give the number below."),
            ),
            Plain(),
            (take, Answer("again", t("再问一次", "Ask again"), Role.MAIN)),
            Tone.CAUTION,
            case_code="451207",
        ),
        Question(
            "which_pin",
            t("哪一个密码?", "Which PIN?"),
            (t("社保密码和银行密码是两个。", "The social security PIN and the bank PIN differ."),),
            Plain(),
            (
                back,
                Answer("other", t("都忘了", "I forgot both"), Role.SECOND),
                Answer("ssc", t("社保密码", "Social security PIN"), Role.MAIN),
            ),
        ),
    ]  # fmt: skip
    return {question.name: question for question in found}
