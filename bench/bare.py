"""The limit of an acknowledgement: FastAPI that checks a signature and inserts one row, and FastAPI that does nothing.

`python -m bench.bare PORT DATABASE_FILE` serves `/insert` and `/nothing` as simply as one could write them.
"""

import base64
import hmac
import sqlite3
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

from tests.line_platform import CHANNEL_SECRET


def app(database: str) -> FastAPI:
    """Both addresses."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS webhooks (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    bare = FastAPI()

    @bare.post("/nothing")
    async def nothing() -> Response:
        return Response()

    @bare.post("/insert")
    async def insert(request: Request) -> Response:
        body = await request.body()
        ours = base64.b64encode(hmac.digest(CHANNEL_SECRET.encode(), body, "sha256")).decode()
        if not hmac.compare_digest(ours, request.headers["x-line-signature"]):
            return Response(status_code=401)
        connection.execute("INSERT INTO webhooks (body) VALUES (?)", (body,))
        return Response()

    return bare


if __name__ == "__main__":
    uvicorn.run(app(sys.argv[2]), port=int(sys.argv[1]), access_log=False, log_level="warning")
