"""`make lock`: renews the lock files. The CPU build of torch is chosen at set-up; what only CUDA needs is left out."""

import os
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
UV = HERE.parent / ".venv/bin/uv"
QUIET = ["-q", "--no-header", "--no-annotate"]


def main() -> None:
    """Writes service.lock, dev.lock and rasa.lock."""
    for name in ("service", "dev"):
        compile_(name, "service.overrides", "--universal", "--python-version", "3.11")
        lock = HERE / f"{name}.lock"
        lines = [line for line in lock.read_text().splitlines() if not re.match(r"torch==\S+\+|.*'never'$", line)]
        lock.write_text("\n".join(re.sub(r"^torch==(\S+).*", r"torch==\1", line) for line in lines) + "\n")
    compile_("rasa", "rasa.overrides", "--python-version", "3.10")


def compile_(name: str, overrides: str, *options: str) -> None:
    """One list to its lock, by uv."""
    links = ",".join(os.environ.get("PIP_FIND_LINKS", "").split())
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1", **({"UV_FIND_LINKS": links} if links else {})}
    command = [str(UV), "pip", "compile", *QUIET, *options, f"{name}.in", "--override", overrides, "-o", f"{name}.lock"]
    subprocess.run(command, cwd=HERE, env=environment, check=True)


if __name__ == "__main__":
    main()
