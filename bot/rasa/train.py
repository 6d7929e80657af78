"""Trains the dialogue model once: `python bot/rasa/train.py`, with the Python of Rasa's environment.

Skips what is already trained (a fingerprint of everything that goes in stands beside the model), and prints one line.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parent
ROOT = PROJECT.parents[1]
DATA = ROOT / "nlu_data" / "rasa"
PARTS = ("tokenizer.py", "classifier.py", "circumstances.py")  # of the pipeline; the others serve it
LIBRARIES = ("rasa", "sudachipy", "sudachidict_core", "scikit-learn")


def main() -> int:
    """Trains when needed; 0 when a current model stands at its place."""
    wanted = parse_arguments()
    stamp = wanted.model.with_suffix(".fingerprint")
    now = fingerprint(wanted.config)
    if not wanted.force and wanted.model.exists() and stamp.exists() and stamp.read_text() == now:
        print(f"Rasa model is current: {shown(wanted.model)}")
        return 0
    began = time.monotonic()
    train(wanted.config, wanted.model)
    stamp.write_text(now)
    print(f"Rasa model trained in {time.monotonic() - began:.0f} s: {shown(wanted.model)}")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Which pipeline to train, and where the model goes."""
    parser = argparse.ArgumentParser(description="Trains the dialogue model when something changed.")
    parser.add_argument("--config", type=Path, default=PROJECT / "config.yml")
    parser.add_argument("--model", type=Path, default=ROOT / "var" / "rasa" / "model.tar.gz")
    parser.add_argument("--force", action="store_true", help="train even if nothing changed")
    return parser.parse_args()


def fingerprint(config: Path) -> str:
    """A hash of all that a model is made of: settings, words, data, our parts of the pipeline and the libraries."""
    parts = [config, PROJECT / "domain.yml", *(PROJECT / "components" / name for name in PARTS), *training_files()]
    digest = hashlib.sha256("".join(f"{name}=={version(name)};" for name in LIBRARIES).encode())
    for part in parts:
        digest.update(part.name.encode() + b"\0" + hashlib.sha256(part.read_bytes()).digest())
    return digest.hexdigest()


def training_files() -> list[Path]:
    """Rules, stories and examples; not the test stories."""
    return [*sorted((DATA / "nlu").glob("*.yml")), DATA / "rules.yml", DATA / "stories.yml"]


def train(config: Path, model: Path) -> None:
    """Trains with Rasa and puts the model in its place at once, so that a broken run leaves the old one."""
    set_environment()
    model.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model.parent) as folder, quiet():
        import rasa.model_training  # slow and noisy, and not needed where nothing changed

        made = rasa.model_training.train(
            domain=str(PROJECT / "domain.yml"),
            config=str(config),
            training_files=[str(path) for path in training_files()],
            output=folder,
            force_training=True,
            fixed_model_name="model",
        )
        os.replace(made.model, model)


def set_environment() -> None:
    """No telemetry, no cache, and our components on the path."""
    os.environ.update(RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3", SQLALCHEMY_SILENCE_UBER_WARNING="1")
    # Rasa would keep a cache in the current folder; the fingerprint makes it needless.
    os.environ.update(RASA_MAX_CACHE_SIZE="0", RASA_CACHE_DIRECTORY=str(ROOT / "var" / "rasa" / "cache"))
    os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())
    sys.path.insert(0, str(PROJECT))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps Rasa's progress bars and warnings to itself, also those of its child processes, unless it fails."""
    with tempfile.TemporaryFile() as said:
        kept = [os.dup(1), os.dup(2)]
        sys.stdout.flush()
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(kept[1], said.read())
            raise
        finally:
            sys.stdout.flush()
            for place, original in enumerate(kept, start=1):
                os.dup2(original, place)
                os.close(original)


def shown(path: Path) -> str:
    """The path as seen from here, where that is shorter."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    raise SystemExit(main())
