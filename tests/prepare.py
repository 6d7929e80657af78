"""`make test` on a fresh machine: what the tests need beside Python packages, installed or named in one sentence."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def main() -> int:
    """Installs what is missing where that is possible; the exit status."""
    missing = [package for package, there in NEEDED.items() if not there()]
    if not missing:
        return 0
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"The tests need {', '.join(missing)}: install them with your system's packages.", file=sys.stderr)
        return 1
    print(f"tests: installing {', '.join(missing)} …", flush=True)
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        if subprocess.run(["apt-get", *command], env=APT, stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"apt-get {command[0]} failed; the tests need {', '.join(missing)}.", file=sys.stderr)
            return 1
    return 0


def chromium() -> str | None:
    """The machine's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def postgres_binaries() -> Path | None:
    """The folder with PostgreSQL's server binaries: on PATH, or where Debian puts them."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def japanese_fonts() -> bool:
    """Whether a Japanese font is there: without one the screenshots show boxes."""
    listed = shutil.which("fc-list")
    return bool(listed) and bool(subprocess.run(["fc-list", ":lang=ja"], capture_output=True, check=False).stdout)


APT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
#: Debian's packages, and what tells that they are there.
NEEDED: dict[str, Callable[[], object]] = {
    "chromium": chromium,
    "postgresql": postgres_binaries,
    "fontconfig": lambda: shutil.which("fc-list"),
    "fonts-noto-cjk": japanese_fonts,
}

if __name__ == "__main__":
    sys.exit(main())
