"""A PostgreSQL cluster of the tests' own: made in a temporary folder, on a Unix socket, gone at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests import migrated
from tests.prepare import postgres_binaries

#: Every database begins as a copy of this one.
PATTERN = "pattern"


class Cluster:
    """One server; `new_database()` gives the address of a fresh database with the schema laid, and nothing in it."""

    def __init__(self) -> None:
        binaries = postgres_binaries()
        if binaries is None:
            raise RuntimeError("The tests need PostgreSQL's server binaries: run `make test`, which installs them.")
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="uketome-pg-"))
        self._made = 0
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", self._data, "-U", "uketome", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        # Hundreds of databases live seconds each: nobody needs to go through them all and tidy up.
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c max_connections=200 -c autovacuum=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def new_database(self) -> str:
        """The address of a new database."""
        if not self._made:
            self._do(f"CREATE DATABASE {PATTERN}")
            migrated.lay(self._address(PATTERN))
        self._made += 1
        name = f"town{self._made}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {PATTERN}")
        return self._address(name)

    def drop(self, url: str) -> None:
        """Removes a database before the system has written it to the disk."""
        self._do(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        """Ends the server and removes its files."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _address(self, name: str) -> str:
        return f"postgresql://uketome@/{name}?host={self._folder}"

    def _do(self, command: str) -> None:
        with psycopg.connect(f"host={self._folder} user=uketome dbname=postgres", autocommit=True) as connection:
            connection.execute(command)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *arguments], user=self._user, cwd=self._folder, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-500:]}")
