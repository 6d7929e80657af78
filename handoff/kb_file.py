"""What kind of file somebody brought, by what is in it; and whether it is safe to open. Its name says nothing."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from knowledge_base.rows import NotRead

MOST_BYTES = 10 * 1024 * 1024
#: What a packed file may hold unpacked: ten times what it may be packed, as spreadsheets pack.
MOST_INSIDE = 100 * 1024 * 1024
MOST_PARTS = 2_000
A_BITE = 1024 * 1024

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"%PDF")
#: No spreadsheet has one. It could grow without end while it is read.
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O\0C|E\0N\0T)|\0<\0!\0(?:D\0O\0C|E\0N\0T)")
EMPTY = "ファイルに何も入っていません。"
NO_TABLE = "Excel（.xlsx）かCSVの表ではありません。表のファイルを選んでください。"
BROKEN = "ファイルがこわれているようです。Excelで開き、「Excelブック（.xlsx）」で保存し直してください。"
LOCKED = "パスワードのついたファイルは読めません。Excelで開いてパスワードを外し、保存してから選んでください。"
OLD = "古い形（.xls）のファイルは読めません。Excelで開き、「Excelブック（.xlsx）」で保存してから選んでください。"
BINARY = "「バイナリブック（.xlsb）」は読めません。Excelで開き、「Excelブック（.xlsx）」で保存してから選んでください。"
PICTURE = "画像やPDFは読めません。Excel（.xlsx）かCSVの表を選んでください。"
TOO_MUCH = "ひらくと大きくなりすぎるファイルなので、開きませんでした。いらない表や画像を消してから選んでください。"
STRANGE = "Excelが作らない書きかたが入っているため、開きませんでした。Excelで開いて、保存し直してください。"


def kind_of(content: bytes) -> str:
    """xlsx, csv or json. Raises NotRead for everything else, and for what is not safe to open."""
    if not content.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise NotRead(EMPTY)
    if content.startswith(_OLD):
        raise NotRead(LOCKED if "EncryptedPackage".encode("utf-16-le") in content else OLD)
    if content.startswith(b"PK"):
        _check_zip(content)
        return "xlsx"
    if content.startswith(_PICTURES):
        raise NotRead(PICTURE)
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return "json"
    if b"\0" in content and not content.startswith(UTF_16):
        raise NotRead(NO_TABLE)
    return "csv"


def _check_zip(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            _check_parts(packed)
    except NotRead:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        raise NotRead(BROKEN) from None


def _check_parts(packed: zipfile.ZipFile) -> None:
    parts = packed.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise NotRead(LOCKED)
    # What is declared first, then what really comes out.
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_INSIDE:
        raise NotRead(TOO_MUCH)
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise NotRead(NO_TABLE)
    if "xl/workbook.bin" in names:
        raise NotRead(BINARY)
    unpacked = 0
    for part in parts:
        rest = b""
        for bite in _bites(packed, part):
            unpacked += len(bite)
            if unpacked > MOST_INSIDE:
                raise NotRead(TOO_MUCH)
            if _DOCTYPE.search(rest + bite):
                raise NotRead(STRANGE)
            rest = bite[-32:]


def _bites(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with packed.open(part) as opened:
        while bite := opened.read(A_BITE):
            yield bite
