"""What one turn works on, and what came of thinking about it."""

from dataclasses import dataclass
from datetime import datetime

from bot.desks import NOT_ASKED, Asked
from bot.dialogue import Answer
from bot.language import chosen
from bot.offers import Offer
from bot.talk import Talk
from bot.understanding import Assessment, Reading
from storage.models import Case, Conversation, Message

#: Events that are no words: they want no answer of their own.
WORDLESS = ("unfollow", "unsend")
#: What a resident does without writing: adds the account, asks for the way to the page.
CAME = ("follow", "link")


@dataclass(frozen=True)
class Work:
    """A conversation with what waits in it, as the claim saw it. `owner` holds the lease; `case` is the open one.

    `reopens`: where there is none open, the one that ended lately and is opened again by these words.
    """

    owner: str
    conversation: Conversation
    waiting: tuple[Message, ...]
    case: Case | None
    reopens: Case | None = None

    @property
    def written(self) -> list[Message]:
        """What wants an answer: everything but what was taken back and what only changes the state."""
        return [message for message in self.waiting if message.unsent_at is None and message.kind not in WORDLESS]

    @property
    def text(self) -> str:
        """The words of the burst, as one text."""
        return "\n".join(message.text for message in self.written if message.text)

    @property
    def attachment(self) -> str:
        """The last thing that came and is no text, or "none"."""
        return next((m.kind for m in reversed(self.written) if m.kind not in ("text", *CAME)), "none")

    @property
    def only_came(self) -> bool:
        """Whether the resident only came (or came back), and wrote nothing."""
        return all(message.kind in CAME for message in self.written)

    @property
    def only_chose(self) -> bool:
        """Whether all that was written is the name of a language, as its button says it: nothing is told by that."""
        return self.attachment == "none" and chosen(self.text) is not None

    @property
    def opens_case(self) -> bool:
        """Whether a case is opened by this where none is open: whatever a resident writes does, a bare greeting too."""
        return bool(self.written) and not self.only_came and not self.only_chose

    @property
    def held(self) -> bool:
        """Whether a person has the conversation: then the machine is silent."""
        return self.case is not None and self.case.claimed_by is not None


@dataclass(frozen=True)
class Thought:
    """What came of thinking, to be recorded. `answer` is None when nothing is to be said; `voice` says who speaks,
    `language` in what language from now on. `stops`: the resident wants no more check-in messages. `asked`: the desk
    that was asked for. `offers`: services that are named at the end."""

    began_at: datetime
    talk: Talk
    reading: Reading
    assessment: Assessment
    answer: Answer | None
    voice: str
    language: str
    stops: bool = False
    asked: Asked = NOT_ASKED
    offers: tuple[Offer, ...] = ()
