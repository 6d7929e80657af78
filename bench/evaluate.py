"""`make eval`: what the understanding gets right, on the development sets of ../shared/eval where they are there."""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from storage.settings import ROOT
from uketome import understand

EVAL = ROOT.parent / "shared/eval"
#: (task of score.py, file)
SETS = (
    ("fields", "dev_fields_resident.jsonl"),
    ("fields", "dev_fields_agency.jsonl"),
    ("crisis", "dev_crisis.jsonl"),
    ("household", "dev_household.jsonl"),
    ("services", "dev_services.jsonl"),
)
CHECKS = ROOT / "nlu_data/checks"


def main() -> int:
    """Prints a line of figures for each set."""
    if EVAL.is_dir():
        for task, name in SETS:
            print(f"{name:28}", score(task, EVAL / name))
    else:
        print(f"The development sets are not here ({EVAL.name} beside the repository's folder): left out.")
    for path in sorted(CHECKS.glob("*.jsonl")):
        print(f"{path.name:28}", short_texts(path))
    return 0


def score(task: str, gold: Path) -> str:
    """What eval/score.py says of one set."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        with gold.open(encoding="utf-8") as texts, out.open("w", encoding="utf-8") as said:
            understand.run(texts, said)
        command = [sys.executable, str(EVAL / "score.py"), task, str(gold), str(out)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def short_texts(path: Path) -> str:
    """Of the project's own short texts: how many record a field, and how many alarm."""
    said = io.StringIO()
    with path.open(encoding="utf-8") as texts:
        understand.run(texts, said)
    read = [json.loads(line) for line in said.getvalue().splitlines()]
    fields = sum(bool(one["fields"]) for one in read)
    alarms = sum(one["urgency"]["level"] in ("urgent", "immediate") for one in read)
    return f"n={len(read)} with_a_field={fields} alarmed={alarms}"


if __name__ == "__main__":
    sys.exit(main())
