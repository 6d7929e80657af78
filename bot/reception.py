"""Who speaks when Rasa does not: thanks, says that a person will read this, and asks nothing hard."""

from bot.desks import Asked
from bot.dialogue import Answer, Line
from bot.understanding import Reading
from bot.words import Words


def speak(words: Words, turns: int, reading: Reading, attachment: str, asked: Asked) -> Answer:
    """An answer without Rasa; `turns` turns the wordings over, so that the same is not said twice in a row. A desk that
    is plainly asked for is told here as well."""
    reception = words.reception
    if reading.urgency.at_least("urgent"):
        lines = [Line(_turn_over(reception.danger, turns)), Line(do="show_hotlines"), Line(reception.person)]
    else:
        heard = reception.took_up if reading.echo else reception.thanks
        first = _turn_over(heard, turns) if attachment == "none" or reading.tells else reception.attachment
        lines = [Line(f"{first}\n{reception.person}"), Line(reception.invite)]
        if asked.plainly and asked.state == "found":
            lines.insert(1, Line(do="show_desks"))
    # Nobody has chosen the next question: the case is for a person now.
    lines.append(Line(do="offer_person"))
    return Answer(tuple(lines), does=frozenset(line.do for line in lines if line.do))


def _turn_over(wordings: list[str], turns: int) -> str:
    return wordings[turns % len(wordings)]
