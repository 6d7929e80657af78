"""The command `uketome`. What a command needs is imported when it is called: `understand` needs no server."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from storage import schema
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings, SettingsError

# The cores belong to Rasa and the database too: numerical libraries that spread one small sum over all of them cost
# more than they gain. Read when numpy is imported, so it stands here.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; a mistake of whoever called it is answered in one sentence, exit status 2."""
    options = _parser().parse_args(arguments)
    from knowledge_base.embedding import ModelError

    try:
        return int(options.does(options) or 0)
    except (SettingsError, schema.SchemaError, ModelError, CommandError) as error:
        print(f"uketome: {error}", file=sys.stderr)
        return 2


class CommandError(Exception):
    """The command cannot be done as it was called; the message is one sentence."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uketome", description="うけとめ: the intake assistant of a town.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: object, help_: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_, description=help_)
        sub.set_defaults(does=does)
        return sub

    command("run", _run, "the service, with Rasa started and watched")
    command("serve", _serve, "the service alone (Rasa elsewhere, by setting)")
    command("train", _train, "Rasa's model; skipped when nothing changed")
    command("understand", _understand, "JSON Lines of texts in, what they tell out; no server, no network")
    find = command("find", _find, "searches any collection: queries in, the ten best out")
    find.add_argument("corpus", metavar="CORPUS")
    kb = command("kb", None, "the knowledge base").add_subparsers(required=True, metavar="WHAT")
    kb.add_parser("check", help="what another embedding model changes").set_defaults(does=_kb_check)
    kb.add_parser("demo", help="publishes the desks of the demo town").set_defaults(does=_kb_demo)
    hsds = kb.add_parser("hsds", help="writes what is published as HSDS 3")
    hsds.add_argument("file", metavar="FILE")
    hsds.add_argument("--examples", action="store_true", help="with the example sentences: for the town's own copy")
    hsds.set_defaults(does=_kb_hsds)
    staff = command("staff", None, "accounts").add_subparsers(required=True, metavar="WHAT").add_parser("add")
    staff.add_argument("--email", required=True)
    staff.add_argument("--role", required=True, choices=("counselor", "supervisor", "admin"))
    staff.add_argument("--name", default="")
    staff.add_argument("--password-stdin", action="store_true", required=True)
    staff.set_defaults(does=_staff_add)
    token = command("token", None, "API tokens").add_subparsers(required=True, metavar="WHAT").add_parser("add")
    token.add_argument("--name", required=True)
    token.add_argument("--scope", required=True, action="append", choices=("cases:read", "cases:write", "kb:write"))
    token.set_defaults(does=_token_add)
    return parser


def _run(_options: argparse.Namespace) -> int:
    from uketome.run import run

    return run(Settings.read(), with_rasa=True)


def _serve(_options: argparse.Namespace) -> int:
    from uketome.run import run

    return run(Settings.read(), with_rasa=False)


def _train(_options: argparse.Namespace) -> int:
    from uketome.rasa_process import train

    return train(Settings.read())


def _understand(_options: argparse.Namespace) -> None:
    from uketome import understand

    understand.run(sys.stdin, sys.stdout, Settings.read().embedding_model)


def _find(options: argparse.Namespace) -> None:
    from uketome import understand

    understand.find(options.corpus, sys.stdin, sys.stdout, Settings.read().embedding_model)


def _kb_check(_options: argparse.Namespace) -> None:
    from uketome import kb

    kb.check(sys.stdout, Settings.read().embedding_model)


def _kb_demo(_options: argparse.Namespace) -> None:
    from knowledge_base import versions

    with _database() as database:
        print(f"{database.write_now(lambda session: versions.load_demo(session, _now()))} desks published")


def _kb_hsds(options: argparse.Namespace) -> None:
    from uketome import kb

    settings = Settings.read()
    with _database() as database:
        whole = kb.as_hsds(database, settings.town, Clock(), examples=options.examples)
    try:
        Path(options.file).write_bytes(whole)
    except OSError as error:
        raise CommandError(f"{options.file} cannot be written ({error.strerror}).") from None
    print(f"{options.file} written: {len(whole):,} bytes")


def _staff_add(options: argparse.Namespace) -> None:
    from handoff import access, audit

    password = sys.stdin.readline().rstrip("\n")
    if len(password) < access.SHORTEST_PASSWORD:
        raise CommandError(f"the password must have at least {access.SHORTEST_PASSWORD} characters.")
    with _database() as database:
        now = _now()
        try:

            def make(session: Session) -> None:
                staff = access.add_staff(session, options.email, options.role, password, now, options.name)
                audit.enter(session, staff, "joined", now, detail="uketome staff add")

            database.write_now(make)
        except access.Refused as refused:
            raise CommandError(str(refused)) from None
    print(f"{options.role} {options.email} added")


def _token_add(options: argparse.Namespace) -> None:
    from handoff import access, audit

    def make(session: Session) -> str:
        token = access.add_token(session, options.name, options.scope, _now())
        audit.enter(session, None, "token_added", _now(), detail=f"{options.name}: {' '.join(options.scope)}")
        return token

    with _database() as database:
        print(database.write_now(make))


@contextlib.contextmanager
def _database() -> Iterator[Database]:
    database = Database(Settings.read().database)
    try:
        schema.upgrade(database)
        yield database
    finally:
        database.close()


def _now() -> datetime:
    return Clock().now()
