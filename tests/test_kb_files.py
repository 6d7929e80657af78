"""Files as they come: every bad one is named with its place, and nothing of it is taken."""

import asyncio
import csv
import io
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from handoff import kb_file
from knowledge_base import hsds_read
from tests.conftest import Town
from tests.desk import INPUT, Colleague
from tests.test_kb import MADO, made, send
from tests.test_kb_bring import BOOK, IMPORT, Book, a_book, applied, exported, planned, sent, sums, versions_of, yamada

__all__ = ["yamada"]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here: the subject is the file."""
    return f"sqlite:///{tmp_path / 'town.db'}"


async def test_every_wrong_place_is_named_and_nothing_is_taken(town: Town, yamada: Colleague) -> None:
    await made(yamada, "desk", **MADO)
    book = Book(await exported(yamada))
    sheet = book.book["窓口"]
    right = {"名前": "課", "受ける支援": "就学援助", "電話": "000-0000-0001"}
    wrongs: list[tuple[dict[str, Any], str, str]] = [
        ({"電話": 312345678}, "電話", "先頭の0が消えているようです（312345678）"),
        ({"住所": date(2026, 1, 2)}, "住所", "日付になっています"),
        ({"内容を確かめた日": "春ごろ"}, "内容を確かめた日", "日付として読めません"),
        ({"内容を確かめた日": 46113}, "内容を確かめた日", "日付として読めません"),
        ({"受付時間（水）": "8時半"}, "受付時間（水）", "8:30〜17:15 のように"),
        ({"受ける支援": "月への旅"}, "受ける支援", "「月への旅」という名前のものはありません"),
        ({"状態": "たぶん"}, "状態", "公開・下書き・確認待ち・終わり のどれか"),
        ({"祝日と年末年始": "たぶん"}, "祝日と年末年始", "休み・開いている のどちらか"),
        ({"項目番号": "town_nothing"}, "項目番号", "この番号の項目はありません"),
        ({"項目番号": sheet["A2"].value}, "項目番号", "同じ番号の行が、この表に2つ"),
        ({"覚え書き": "=A1&A2"}, "覚え書き", "数式が入っていて、値が保存されていません"),
        ({"名前": " "}, "名前", "名前を書いてください"),
        ({"名前": "あ" * 61}, "名前", "60文字まで"),
        ({"ホームページ": "http://a.jp"}, "ホームページ", "https:// から始まる"),
    ]
    places = [(book.add("窓口", **{**right, **typed}), column, said) for typed, column, said in wrongs]
    sheet.merge_cells(start_row=40, end_row=42, start_column=4, end_column=4)
    behind = sheet.max_column + 1
    sheet.cell(1, behind).value = "町長の好み"
    sheet.cell(3, behind + 2).value = "はみ出し"
    path, page = await planned(yamada, book.saved())
    assert sums(page)["直すところ"] == str(len(wrongs) + 4), "the first of two rows of one number is named too"
    for row, column, said in places:
        assert re.search(f'「窓口」の{row}行目</th><td>{column}</td><td class="loose">[^<]*{re.escape(said)}', page), (
            said
        )
    for said in (
        "D40〜D42",
        "セルが結合されています",
        "「窓口」の1行目</th><td>町長の好み",
        f"{get_column_letter(behind + 2)}列に、見出しのない値",
    ):
        assert said in page, said
    listed = (await yamada.http.get(f"{path}/wrong.csv")).content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(listed)))) == len(wrongs) + 5
    assert (await applied(yamada, path, page)).status_code == 422
    assert len(await versions_of(town)) == 1


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()


def changed(book: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A book with one of its parts rewritten."""
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        parts = {one: package.read(one) for one in package.namelist()}
    return packed({**parts, name: change(parts[name])})


def lying(book: bytes) -> bytes:
    """A bomb that declares to be small: its size stands in the header of the part and in the directory."""
    real = 200 * 1024 * 1024
    bomb = bytearray(packed({"[Content_Types].xml": b"", "xl/workbook.xml": b"\0" * real}))
    small, big = struct.pack("<I", 100), struct.pack("<I", real)
    return bytes(bomb.replace(big, small))


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">%s]>' % b"".join(
    b'<!ENTITY a%d "%s">' % (at, b"&a%d;" % (at - 1) * 10 if at else b"&a;") for at in range(30)
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512
BAD = (
    (b"", kb_file.EMPTY),
    (b"\xef\xbb\xbf\r\n", kb_file.EMPTY),
    (OLE + "EncryptedPackage".encode("utf-16-le"), kb_file.LOCKED),
    (OLE + "Workbook".encode("utf-16-le"), kb_file.OLD),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, kb_file.PICTURE),
    (packed({"word/document.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}), kb_file.NO_TABLE),
    (packed({"[Content_Types].xml": b"", "xl/workbook.bin": b""}), kb_file.BINARY),
    (packed({"[Content_Types].xml": b"", "xl/workbook.xml": b"\0" * (101 * 1024 * 1024)}), kb_file.TOO_MUCH),
    (changed(BOOK, "xl/worksheets/sheet1.xml", lambda xml: LAUGHS + xml), kb_file.STRANGE),
    (changed(BOOK, "xl/worksheets/sheet1.xml", lambda xml: xml[:200]), kb_file.BROKEN),
    (BOOK[:900], kb_file.BROKEN),
    (lying(BOOK), kb_file.BROKEN),
    (a_book([["月", "火"], ["a", "b"]], "Sheet1"), "「町の支援」と「窓口」のどちらの表も見つかりません"),
    ("名前,電話\r\n\"課,1\r\n".encode(), "CSVの2行目の近くで、引用符"),
    ("名前,電話\r\n\"課\"長,1\r\n".encode(), "CSVの2行目の近くで、引用符"),
    ("あ,い\nう,え\n".encode(), "「名前」などの見出しが見つかりません"),
    (b"\xef\xbb\xbf\xe5\x90\x8d\xe5\x89\x8d,\xff\n", "1行目に、読めない文字があります"),
    (b"\x00\x01\x02\x03", kb_file.NO_TABLE),
    (b'{"organizations": []}', hsds_read.NO_HSDS),
    (b'{"services": [', "JSONとして読めません（1行目）"),
)  # fmt: skip


async def test_a_file_that_cannot_be_read_is_said_to_be_so(town: Town, yamada: Colleague) -> None:
    for content, said in BAD:
        answer = await sent(yamada, content)
        assert answer.status_code == 422, said
        assert said.replace('"', "&#34;") in answer.text, (said, content[:40])
    nothing = await send(yamada, IMPORT, {})
    assert nothing.status_code == 422
    csrf = dict(INPUT.findall((await yamada.http.get(IMPORT)).text))
    assert "ファイルを選んでください" in (await yamada.http.post(IMPORT, data=csrf, files={"file": ("", b"")})).text
    assert await versions_of(town) == []


async def test_csv_comes_as_offices_keep_it(town: Town, yamada: Colleague) -> None:
    rows = "名前,電話,受ける支援,受付時間（月）\n課,０００（００００）１１２０,就学援助,８：３０～１７：１５\n"
    for text, coded in (
        (rows, "utf-8"), (rows, "utf-8-sig"), (rows, "cp932"), (rows.replace("\n", "\r\n"), "cp932"),
        (rows.replace("\n", "\r"), "utf-8"), (rows.replace(",", "\t"), "utf-16"), ("窓口の一覧\n" + rows, "utf-8"),
    ):  # fmt: skip
        _, page = await planned(yamada, text.encode(coded), "窓口.csv")
        assert sums(page)["新しい"] == "1", (coded, page)
        assert "項目番号の列がない" in page


async def test_what_is_too_long_is_refused_before_it_has_come(town: Town, yamada: Colleague) -> None:
    csrf = dict(INPUT.findall((await yamada.http.get(IMPORT)).text))
    cookie = "; ".join(f"{name}={value}" for name, value in yamada.http.cookies.items())
    long = 50 * 1024 * 1024
    for how, bites in ((f"Content-Length: {long}", 0), ("Transfer-Encoding: chunked", 11)):
        url = yamada.http.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        kind = "multipart/form-data; boundary=b"
        head = (f"POST {IMPORT} HTTP/1.1", "Host: a", f"Cookie: {cookie}", how, f"Content-Type: {kind}", "", "")
        writer.write("\r\n".join(head).encode())
        if bites:
            first = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            writer.write(b"%x\r\n%s\r\n" % (len(first), first))
            for _ in range(bites):
                writer.write(b"100000\r\n" + b"a" * 0x100000 + b"\r\n")
                await writer.drain()
        answer = await reader.readuntil(b"\r\n")
        assert b"413" in answer, how
        writer.close()
    big = await yamada.http.post(IMPORT, data=csrf, files={"file": ("a", b"a" * (kb_file.MOST_BYTES + 1))})
    assert (big.status_code, "10MBまで" in big.text) == (413, True)


async def test_formulas_keep_what_was_seen(town: Town, yamada: Colleague) -> None:
    book = a_book([["名前", "覚え書き", "受ける支援"], ["課", "=1+1", "就学援助"]])
    with_value = changed(
        book, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    )
    assert with_value != book
    _, page = await planned(yamada, with_value)
    assert "「窓口」のB2など1か所は数式です" in page
    assert sums(page)["新しい"] == "1"
