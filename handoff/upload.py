"""A form that brings a file: read while it comes in, and refused as soon as it is too long."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from handoff.body import Inputs
from storage.problems import Problem

#: What a form holds beside its file.
MORE = 64 * 1024


class TooBig(Exception):
    """The file is longer than it may be; the rest of it was not read."""


@dataclass(frozen=True)
class Upload:
    """`name` as the browser calls the file; "" and no content when none was chosen."""

    inputs: Inputs
    name: str
    content: bytes


async def read_upload(request: Request, most: int) -> Upload:
    """The inputs, and the file under `file`. Raises TooBig; Problem 422 for what is no such form."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most + MORE:
        raise TooBig
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise _unreadable()
    try:
        form = await MultiPartParser(
            request.headers, _counted(request, most + MORE), max_files=1, max_fields=10, max_part_size=MORE
        ).parse()
    except MultiPartException:
        raise _unreadable() from None
    try:
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        name = (file.filename or "") if isinstance(file, UploadFile) else ""
    finally:
        await form.close()
    if len(content) > most:
        raise TooBig
    return Upload(Inputs((key, value) for key, value in form.multi_items() if isinstance(value, str)), name, content)


async def _counted(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for bite in request.stream():
        seen += len(bite)
        if seen > most:
            raise TooBig
        yield bite


def _unreadable() -> Problem:
    return Problem(422, "Unprocessable Content", "送られた内容を読み取れませんでした。")
