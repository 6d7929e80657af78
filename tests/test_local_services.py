"""A service that a town adds is found at once, with no training, by words that none of its examples uses."""

import pytest

from bot.understanding import Assessment, Understander
from bot.understanding.segments import LocalService

GAKKI = LocalService(
    "gakki_bank",
    "楽器バンク",
    "使われなくなった楽器を、子どもに無料で貸し出す",
    ("education", "finance"),
    (
        "吹奏楽部に入りたいけど、楽器を買うお金がありません",
        "娘がトランペットを習いたがっています。とても手が出る値段ではなくて",
        "クラリネットを借りられるところはありますか。部費だけで精いっぱいです",
    ),
)
NEVER_SAID = "息子が部活でサックスを始めたいと言うのですが、うちの家計では買ってやれません"


@pytest.fixture(scope="module")
def own_reader() -> Understander:
    """Not the shared one: what a town adds would show in other tests."""
    return Understander.load()


def services(reader: Understander, text: str) -> list[str]:
    return [service.id for service in reader.read(text, Assessment()).services]


def test_a_local_service_is_found_by_a_fourth_wording(own_reader: Understander) -> None:
    assert GAKKI.id not in services(own_reader, NEVER_SAID)
    own_reader.take_in([GAKKI])
    assert GAKKI.id in services(own_reader, NEVER_SAID)
    assert GAKKI.id not in services(own_reader, "父の認知症が進んで、夜中に出て行ってしまいます")
    own_reader.take_in([])
    assert GAKKI.id not in services(own_reader, NEVER_SAID)


def test_what_is_taken_in_step_by_step_weighs_as_if_it_had_come_at_once(own_reader: Understander) -> None:
    others = [LocalService(f"o{n}", f"名前{n}", f"第{n}の支援", ("work",), GAKKI.voices) for n in range(3)]
    grown, whole = own_reader.view(), own_reader.view()
    for step in ([others[0]], [GAKKI, *others], [others[0], others[2]], [others[0], GAKKI]):
        grown.take_in(step)
    whole.take_in([others[0], GAKKI])
    one, other = (reader.explain(NEVER_SAID) for reader in (grown, whole))
    assert {(s.id, s.sure, s.example) for s in one.services} == {(s.id, s.sure, s.example) for s in other.services}
    assert GAKKI.id not in services(own_reader, NEVER_SAID), "a view's services are its own"
