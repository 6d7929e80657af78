"""`uketome kb check`: what the model named by UKETOME_EMBEDDING_MODEL changes, measured on the voices;
`uketome kb hsds`: what is published, as one file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from bot.understanding.clauses import fold
from bot.understanding.voices import Voice, read_voices
from knowledge_base import embedding, hsds, live
from knowledge_base.embedding import Embedder, Vectors
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database

EVERY = 7  # of the voices one in so many is asked about; the others are what is found
NEAREST = 10


def check(out: TextIO, model: str | None) -> None:
    """Raises ModelError where the model cannot be loaded."""
    voices = read_voices()
    bundled = embedding.load()
    chosen = bundled if model is None else embedding.load(model)
    asked = np.arange(len(voices)) % EVERY == 0
    print(f"{len(voices)} voices; {asked.sum()} of them asked about.", file=out)
    first = _describe(out, "bundled model", bundled, voices, asked)
    if chosen is bundled:
        print("UKETOME_EMBEDDING_MODEL is not set: the bundled model searches.", file=out)
        return
    second = _describe(out, model or "", chosen, voices, asked)
    same = np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(first, second, strict=True)])
    print(
        f"Of the {NEAREST} nearest voices {same:.0%} are the same. The search for neighbours, examples and a town's own"
        " services uses the chosen model; the learned heads keep to the bundled one.",
        file=out,
    )


def as_hsds(database: Database, town: str, clock: Clock, *, examples: bool) -> bytes:
    """Everything that counts now, in one JSON."""

    async def published() -> live.Published:
        keeper = live.Keeper(database, Bells(), clock, lambda _services: None)
        await keeper.renew()
        return keeper.published

    return hsds.one_file(hsds.tables(asyncio.run(published()), town, examples=examples))


def _describe(
    out: TextIO,
    name: str,
    embedder: Embedder,
    voices: Sequence[Voice],
    asked: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> list[list[int]]:
    began = time.perf_counter()
    vectors: Vectors = embedder.embed([fold(voice.text) for voice in voices])
    took = (time.perf_counter() - began) / len(voices)
    others = np.flatnonzero(~asked)
    nearest = [
        others[np.argsort(-(vectors[others] @ vectors[at]), kind="stable")[:NEAREST]].tolist()
        for at in np.flatnonzero(asked).tolist()
    ]
    telling = [(at, near) for at, near in zip(np.flatnonzero(asked).tolist(), nearest, strict=True) if voices[at].must]
    agree = np.mean([bool(voices[at].must & voices[near[0]].must) for at, near in telling])
    print(
        f"{name}: {vectors.shape[1]} dimensions, {took * 1000:.2f} ms a text; the nearest other voice tells of the same"
        f" field for {agree:.0%}.",
        file=out,
    )
    return nearest
