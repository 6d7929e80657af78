"""Counted: who carries what today. Open cases by desk and by person, and the next contacts that are overdue."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from markupsafe import Markup
from sqlalchemy import case, select

from handoff import charts
from handoff.charts import Bar
from handoff.counting import INTAKE, Scope, grouped
from handoff.queue import STANDS
from handoff.report_tables import Block, Cell, Column, Report, Table
from handoff.tongue import say
from storage.clock import JAPAN
from storage.models import Case, Desk, Staff

OVERDUE, PLANNED, UNPLANNED = "overdue", "planned", "unplanned"


@dataclass
class Load:
    """Open cases by where they stand, and how many of them have a next contact that is overdue, or none."""

    open: int = 0
    collecting: int = 0
    waiting: int = 0
    claimed: int = 0
    following: int = 0
    overdue: int = 0
    unplanned: int = 0

    def take(self, stands: str, contact: str, number: int) -> None:
        """Counts so many cases."""
        self.open += number
        setattr(self, stands, getattr(self, stands) + number)
        self.overdue += number * (contact == OVERDUE)
        # Before a person has taken a case on, nobody owes it a next contact.
        self.unplanned += number * (contact == UNPLANNED and stands in ("claimed", "following"))


@dataclass
class LoadFigures:
    """By desk (INTAKE: of no desk yet) and by person (None: of nobody). `desk_names`, `people`: who they are."""

    all: Load = field(default_factory=Load)
    desks: dict[int, Load] = field(default_factory=dict)
    people: dict[int | None, Load] = field(default_factory=dict)
    desk_names: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


def count(scope: Scope) -> LoadFigures:
    """The figures as of now: one grouping over the open cases."""
    found, session, today = LoadFigures(), scope.session, scope.now.astimezone(JAPAN).date()
    stands = case(*((STANDS[name], name) for name in ("claimed", "following", "waiting")), else_="collecting")
    contact = case((Case.next_contact_on.is_(None), UNPLANNED), (Case.next_contact_on < today, OVERDUE), else_=PLANNED)
    open_ones = scope.cases().where(Case.closed_at.is_(None))
    rows = session.execute(grouped(open_ones, Case.desk_id, Case.claimed_by, Case.responsible_id, stands, contact))
    for desk, holder, responsible, how, when, number in rows:
        carriers: Iterable[int | None] = {one for one in (holder, responsible) if one is not None} or {None}
        for load in (found.all, _of(found.desks, desk or INTAKE), *(_of(found.people, one) for one in carriers)):
            load.take(how, when, number)
    _name(scope, found)
    return found


def report(scope: Scope) -> Report:
    """The page."""
    found = count(scope)
    return Report(
        subject="load",
        title=say("受け持ち"),
        lead=say("いま開いている相談を、窓口と人ごとに数えています。期間にかかわらず、きょうの時点の数です。"),
        facts=[
            (say("開いている相談"), f"{found.all.open:,}", say("件")),
            (say("待っている"), f"{found.all.waiting:,}", say("件")),
            (say("次の連絡の日を過ぎている"), f"{found.all.overdue:,}", say("件")),
            (say("次の連絡が決まっていない"), f"{found.all.unplanned:,}", say("件")),
        ],
        blocks=[_by_desk(found), _by_person(found)],
        empty=found.all.open == 0,
    )


def _by_desk(found: LoadFigures) -> Block:
    order = sorted(found.desks, key=lambda desk: (desk == INTAKE, -found.desks[desk].open, desk))
    loads = [(found.desk_names.get(desk, say("受付（窓口は未定）")), found.desks[desk]) for desk in order]
    title = say("窓口ごと")
    table = Table(
        "desks", title, say("窓口が決まっていない相談は「受付」に数えます。"), _columns(say("窓口")),
        [[name, *_cells(load)] for name, load in (*loads, (say("すべて"), found.all))], summed=True,
    )  # fmt: skip
    return Block(table, _picture(title, loads), open=True)


def _by_person(found: LoadFigures) -> Block:
    people = [one for one in found.people if one is not None]
    order: list[int | None] = [*sorted(people, key=lambda one: (-found.people[one].open, one))]
    loads = [(found.names.get(one or 0, say("名前のない人")), found.people[one]) for one in order]
    title = say("人ごと")
    rows: list[list[Cell]] = [[name, *_cells(load)] for name, load in loads]
    if None in found.people:
        rows.append([say("受け持つ人がいない"), *_cells(found.people[None])])
    table = Table(
        "people", title,
        say("いま話している人と、主担当の人の受け持ちに数えます。二人が別の人なら両方に数えるので、合計はすべての相談の数と合いません。"),
        _columns(say("人")), rows,
    )  # fmt: skip
    return Block(table, _picture(title, loads), open=True)


def _picture(title: str, loads: list[tuple[str, Load]]) -> Markup:
    rows = [
        Bar(name, [load.claimed, load.following, load.waiting + load.collecting], _said(load)) for name, load in loads
    ]
    keys = [say("担当中"), say("見守り中"), say("待っている・お話の途中")]
    return charts.bars(title, say("棒の長さは開いている相談の数です。"), rows, keys)


def _said(load: Load) -> str:
    if load.overdue:
        return say("{number}件（連絡の日を過ぎた {overdue}）", number=load.open, overdue=load.overdue)
    return say("{number}件", number=load.open)


def _columns(first: str) -> list[Column]:
    heads = ("開いている", "お話の途中", "待っている", "担当中", "見守り中", "連絡の日を過ぎた", "連絡が未定")
    return [Column(first, "text"), *(Column(say(head)) for head in heads)]


def _cells(load: Load) -> tuple[int, ...]:
    return astuple(load)


def _of(loads: dict[int | None, Load] | dict[int, Load], key: int | None) -> Load:
    return loads.setdefault(key, Load())  # type: ignore[arg-type]


def _name(scope: Scope, found: LoadFigures) -> None:
    session = scope.session
    found.desk_names = {desk.id: desk.name for desk in session.scalars(select(Desk))}
    ids = [one for one in found.people if one is not None]
    people = session.scalars(select(Staff).where(Staff.id.in_(ids)))
    found.names = {one.id: one.called for one in people}
