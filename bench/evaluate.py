"""`make eval`: what the understanding gets right, compared with the committed last figures (bench/evaluation.json).

The development sets and the JSTS pairs are read from ../shared/eval where they are there; the project's own check
texts (nlu_data/checks) always. Ends with 1 when a figure has become worse by more than 0.02. `--keep` writes the
figures down; `--wrong N` shows the texts that went wrong; `--fields` the confusion by field.
"""

import argparse
import io
import json
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import understanding
from bot.understanding.assessment import Household
from bot.understanding.build_heads import FIGURES
from bot.understanding.clauses import fold, split
from bot.understanding.people import People
from knowledge_base import embedding
from knowledge_base.index import Collection
from storage.settings import ROOT
from uketome import understand

EVAL = ROOT.parent / "shared/eval"
CHECKS = ROOT / "nlu_data/checks"
KEPT = ROOT / "bench/evaluation.json"
#: (task of score.py, file)
SETS = (
    ("fields", "dev_fields_resident.jsonl"),
    ("fields", "dev_fields_agency.jsonl"),
    ("crisis", "dev_crisis.jsonl"),
    ("household", "dev_household.jsonl"),
    ("services", "dev_services.jsonl"),
)
SHORT_TEXTS = ("administration", "danger", "harmless", "ordinary")
ALARMING = ("urgent", "immediate")
LESS_IS_BETTER = ("false_alarms", "alarmed", "with_a_field")
WORSE_BY = 0.02
DEEPEST = 10

Figures = dict[str, dict[str, float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write the figures into bench/evaluation.json")
    parser.add_argument("--wrong", type=int, default=0, metavar="N", help="show N texts of each set that went wrong")
    parser.add_argument("--fields", action="store_true", help="show found, missed and made up, by field")
    options = parser.parse_args()
    figures = own_sets()
    if EVAL.is_dir():
        figures |= development_sets(options.wrong, options.fields)
    else:
        print(f"The development sets are not here ({EVAL}): left out.")
    for name, one in figures.items():
        print(f"{name:28}", " ".join(f"{key}={value:.3f}" for key, value in one.items()))
    show_calibration()
    show_speed()
    worse = list(fallen(json.loads(KEPT.read_text("utf-8")), figures)) if KEPT.exists() else []
    if options.keep:
        KEPT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        return 0
    print(*worse or ["No figure is worse than the committed one by more than 0.02."], sep="\n")
    return 1 if worse else 0


def own_sets() -> Figures:
    """The project's own check texts: of the short ones, how many record a field and how many alarm; of sentences as
    public pages have them, which fields are found; of households, who belongs and whose trouble is whose; of texts that
    name several, who is told of and how old; of strangers' messages, whether danger is heard; of the FAQ the ranks of
    the right answers."""
    figures = {name: short_texts([row["text"] for row in rows(CHECKS / f"{name}.jsonl")]) for name in SHORT_TEXTS}
    figures["pages"] = fields_found(rows(CHECKS / "pages.jsonl"))
    figures["households"] = members_found(rows(CHECKS / "households.jsonl"))
    figures["persons"] = persons_heard(rows(CHECKS / "persons.jsonl"))
    figures["strangers"] = levels_heard(rows(CHECKS / "strangers.jsonl"))
    figures["faq"] = {"ndcg@10": search(rows(CHECKS / "faq.jsonl"))}
    return figures


def short_texts(texts: Sequence[str]) -> dict[str, float]:
    read = assessed([{"id": at, "text": text} for at, text in enumerate(texts)])
    alarms = sum(one["urgency"]["level"] in ALARMING for one in read)
    return {"with_a_field": sum(bool(one["fields"]) for one in read) / len(read), "alarmed": alarms / len(read)}


def levels_heard(gold: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of talks whose level is told as a range: how many of those in danger alarm, and how many of those in none."""
    alarms = [one["urgency"]["level"] in ALARMING for one in assessed(gold)]
    danger = [alarm for alarm, row in zip(alarms, gold, strict=True) if row["lowest"] in ALARMING]
    harmless = [alarm for alarm, row in zip(alarms, gold, strict=True) if row["highest"] not in ALARMING]
    return {"recall": sum(danger) / len(danger), "false_alarms": sum(harmless) / len(harmless)}


def fields_found(gold: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """As eval/score.py counts: what may be recorded is neither right nor wrong."""
    right = missed = made_up = 0
    for row, read in zip(gold, assessed(gold), strict=True):
        found, must = {one["id"] for one in read["fields"]}, set(row["must"])
        right += len(found & must)
        missed += len(must - found)
        made_up += len(found - must - set(row["may"]))
    return {"recall": right / (right + missed), "f1": 2 * right / (2 * right + missed + made_up)}


def members_found(gold: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """As eval/score.py counts: members of the same relation and no other age, and pairs of member and field."""
    members, pairs = Counter[str](), Counter[str]()
    for row, read in zip(gold, assessed(gold), strict=True):
        left = list(read["members"])
        for told in row["members"]:
            found = next((one for one in left if _same(told, one)), None)
            if found is not None:
                left.remove(found)
            members["right" if found else "missed"] += 1
            _count(pairs, set(told["fields"]), set(found["fields"] if found else ()))
        members["made up"] += len(left)
        pairs["made up"] += sum(len(one["fields"]) for one in left)
    return {"member_f1": _f1(members), "member_field_f1": _f1(pairs)}


def persons_heard(gold: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By the rules alone: persons of the same relation and the very same age, and texts that are read without a fault.
    A writer of whom no age is told is left out."""
    counts, faultless = Counter[str](), 0
    for row in gold:
        people = People(Household(), row["speaker"])
        people.hear_all(split(fold(row["text"])))
        told = Counter((one["relation"], one["age"]) for one in row["members"])
        named = [p for p in people.persons if not p.left and (p.mentioned or p.age is not None)]
        heard = Counter((p.relation, p.age) for p in named if p.relation != "self" or p.age is not None)
        right = (told & heard).total()
        counts.update({"right": right, "missed": told.total() - right, "made up": heard.total() - right})
        faultless += told == heard
    return {"f1": _f1(counts), "faultless": faultless / len(gold)}


def _same(told: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return told["relation"] == found["relation"] and (told.get("age") is None or found["age"] in (None, told["age"]))


def _count(counts: Counter[str], wanted: set[str], found: set[str]) -> None:
    counts.update({"right": len(wanted & found), "missed": len(wanted - found), "made up": len(found - wanted)})


def _f1(counts: Counter[str]) -> float:
    return 2 * counts["right"] / (2 * counts["right"] + counts["missed"] + counts["made up"])


def search(entries: Sequence[Mapping[str, Any]]) -> float:
    """nDCG@10 of queries that each have one right answer."""
    collection = Collection(embedding.load(), [entry["text"] for entry in entries])
    gains = []
    for at, entry in enumerate(entries):
        for query in entry["queries"]:
            found = [hit.at for hit in collection.search(query, DEEPEST)]
            gains.append(1 / math.log2(found.index(at) + 2) if at in found else 0.0)
    return float(np.mean(gains))


def development_sets(wrong: int, by_field: bool) -> Figures:
    figures = {name: score(task, EVAL / name, wrong) for task, name in SETS}
    figures["jsts_valid"] = {"spearman": sentence_likeness(rows(EVAL / "jsts_valid.jsonl"))}
    if by_field:
        for task, name in SETS:
            if task == "fields":
                show_confusion(rows(EVAL / name))
    return figures


def score(task: str, gold: Path, wrong: int) -> dict[str, float]:
    """What eval/score.py says of one set."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        with gold.open(encoding="utf-8") as texts, out.open("w", encoding="utf-8") as said:
            understand.run(texts, said)
        command = [sys.executable, str(EVAL / "score.py"), task, str(gold), str(out), "--errors", str(wrong)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    summary = next(line for line in lines if line.startswith(f"{task} n="))
    if len(lines) > 1:
        print(gold.name, *(line for line in lines if line != summary), "", sep="\n")
    pairs = (part.split("=") for part in summary.split() if "=" in part)
    return {key: float(value) for key, value in pairs if key != "n"}


def sentence_likeness(pairs: Sequence[Mapping[str, Any]]) -> float:
    """Spearman's rank correlation of cosines and human judgements, the embedding alone."""
    embedder = embedding.load()
    one, other = (embedder.embed([pair[key] for pair in pairs]) for key in ("s1", "s2"))
    return float(np.corrcoef(_ranks((one * other).sum(axis=1)), _ranks(np.array([p["score"] for p in pairs])))[0, 1])


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    means: np.ndarray[Any, Any] = (np.cumsum(count) - (count - 1) / 2)[place]
    return means


def show_confusion(gold: Sequence[Mapping[str, Any]]) -> None:
    found, missed, made_up = Counter[str](), Counter[str](), Counter[str]()
    for row, read in zip(gold, assessed(gold), strict=True):
        fields = {one["id"] for one in read["fields"]}
        found.update(fields & set(row["must"]))
        missed.update(set(row["must"]) - fields)
        made_up.update(fields - set(row["must"]) - set(row["may"]))
    print(f"{'field':16}{'found':>8}{'missed':>8}{'made up':>8}")
    for name in sorted(found | missed | made_up):
        print(f"{name:16}{found[name]:8}{missed[name]:8}{made_up[name]:8}")


def show_calibration() -> None:
    """From the reading of the fifth of the voices that nothing was learned from (build_heads)."""
    print("of fields said to be so sure, so many are right (voices held back):")
    kept = json.loads(FIGURES.read_text("utf-8"))["reliability"]
    print(" ", "  ".join(f"{row['said']:.2f}→{row['true']:.2f}" for row in kept))


def show_speed() -> None:
    speed = understanding.run(1)
    times = f"p50 {speed['p50_ms']:.1f} ms, p95 {speed['p95_ms']:.1f} ms; load {speed['load_s']:.1f} s"
    times += f"; the danger screen alone: p95 {speed['screen_p95_ms']:.1f} ms"
    print("one text of 200 characters:", times)


def fallen(before: Figures, now: Figures) -> Iterator[str]:
    for name, figures in now.items():
        for key, value in figures.items():
            old = before.get(name, {}).get(key)
            sign = -1 if key in LESS_IS_BETTER and name != "danger" else 1
            if old is None:
                yield f"{name} {key} has no committed figure: --keep writes it down."
            elif sign * (old - value) > WORSE_BY:
                yield f"Worse: {name} {key} was {old:.3f} and is {value:.3f}."


def assessed(texts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    said = io.StringIO()
    understand.run(io.StringIO("\n".join(json.dumps(row, ensure_ascii=False) for row in texts)), said)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
