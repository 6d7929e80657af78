"""A sentence made nobody's: what could tell who it was is gone, and what was told is still there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.blanks import blanked, still_tells


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("夫の田中健一は借金があります", "夫の〇〇は借金があります"),
        ("担任の鈴木先生に話しました", "担任の〇〇先生に話しました"),
        ("花子ちゃんが学校に行けません", "〇〇ちゃんが学校に行けません"),
        ("Nguyenさんと結婚しました", "〇〇さんと結婚しました"),
        ("ひかり病院に通っています", "〇〇病院に通っています"),
        ("あおぞら保育園に預けています", "〇〇保育園に預けています"),
        ("福岡の実家に帰りたい", "〇〇の実家に帰りたい"),
        ("ABC株式会社を辞めました", "〇〇株式会社を辞めました"),
        ("１４歳の娘と85の母がいます", "〇歳の娘と〇の母がいます"),
        ("四十七歳の夫です", "〇歳の夫です"),
        ("夫は47です", "夫は〇です"),
        ("080-1234-5678か0312345678に電話してください", "〇〇か〇〇に電話してください"),
        ("a.b@example.jpに書いてください", "〇〇に書いてください"),
        ("昭和45年3月4日生まれです", "〇〇年〇月〇日生まれです"),
        ("2丁目5番地3号に住んでいます", "〇〇に住んでいます"),
    ],
)
def test_what_tells_who_it_was_is_blank(text: str, blank: str) -> None:
    assert blanked(text) == blank
    assert still_tells(text)
    assert not still_tells(blank)


@pytest.mark.parametrize(
    "text",
    [
        "家賃を3か月滞納していて、借金が200万円あります", "娘の中学校から電話が来ました",
        "週に2回、パートを2つしています",
        "お母さんが病院に入院しています", "大家さんに出ていくように言われました", "中学2年の娘が学校に行けません",
        "夫が酒ばかり飲んで、なぐられています", "LINEで相談しています",
    ],
)  # fmt: skip
def test_what_names_nobody_is_left(text: str) -> None:
    assert blanked(text) == text


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_blanked_and_no_long_number_is_left(text: str) -> None:
    assert "09012345678" not in blanked(f"{text} 09012345678 {text}")
