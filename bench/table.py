"""The bench's results as one Markdown table, with the ratios that count."""

from collections.abc import Iterator
from typing import Any

Row = tuple[str, str, str]  # (what, figure, target)
Results = dict[str, Any]


def table(results: Results) -> str:
    """Every part that has results."""
    rows = [row for part, lines in PARTS.items() if part in results for row in lines(results[part])]
    head = ["| what | figure | to reach |", "| --- | --- | --- |"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _turn(found: Results) -> Iterator[Row]:
    for name, by_residents in found.items():
        for residents, one in by_residents.items():
            cpu = ", ".join(f"{process} {ms:.1f}" for process, ms in one["cpu_ms"].items())
            figure = f"**{one['turns_per_s']:.0f}** turns/s, p50 {one['p50_ms']:.0f}, p95 {one['p95_ms']:.0f} ms"
            yield f"turn: {name}, {residents} at once", f"{figure}; CPU ms a turn: {cpu}", ""
    yield from _turn_ratios(found)


def _turn_ratios(found: Results) -> Iterator[Row]:
    product, recommended, ours = (found.get(name, {}) for name in (PRODUCT, RECOMMENDED, OURS))
    for residents, one in product.items():
        for name, peer, target in (("recommended", recommended, "2.0×"), ("our pipeline", ours, "0.75×")):
            if residents in peer:
                ratio = one["turns_per_s"] / peer[residents]["turns_per_s"]
                yield f"turn: product / Rasa, {name}, {residents} at once", f"**{ratio:.2f}×**", target
    if "1" in product and "1" in recommended:
        ratio = product["1"]["p95_ms"] / recommended["1"]["p95_ms"]
        yield "turn: p95 with one resident, product / Rasa, recommended", f"**{ratio:.2f}×**", "under 0.5×"


PRODUCT, RECOMMENDED, OURS = "product", "rasa, recommended pipeline", "rasa, our pipeline"


def _ack(found: Results) -> Iterator[Row]:
    for name in ("product", "one insert", "nothing"):
        one = found[name]
        figure = (
            f"**{one['per_s']:.0f}**/s, p50 {one['p50_ms']:.0f}, p95 {one['p95_ms']:.0f}, p99 {one['p99_ms']:.0f} ms"
        )
        target = "p99 under 100 ms" if name == "product" else ""
        yield f"acknowledge, 64 connections: {name}", f"{figure}, {one['refused']:.0f} refused", target
    ratio = found["product"]["per_s"] / found["one insert"]["per_s"]
    yield "acknowledge: product / one insert", f"**{ratio:.2f}×**", "0.5×"
    burst = found["burst"]
    spent = f"acknowledged in {burst['acknowledged_s']:.1f} s (p99 {burst['p99_ms']:.0f} ms)"
    became = "; ".join(burst["wrong"][:3]) or "none lost, none doubled, each in order"
    yield "burst of 5,000 messages from 1,000 residents", f"{spent}, worked off in {burst['worked_off_s']:.1f} s", ""
    yield "burst: audit", became, "none lost, none doubled, in order"


def _search_growth(found: Results) -> Iterator[Row]:
    for size, one in found.items():
        query = f"p50 {one['query_p50_ms']:.1f}, **p95 {one['query_p95_ms']:.1f}** ms"
        cpu = f"CPU p50 {one['query_cpu_p50_ms']:.1f}, p95 {one['query_cpu_p95_ms']:.1f} ms"
        spent = f"{one['memory_mb']:.0f} MB, built in {one['build_s']:.0f} s (CPU {one['build_cpu_s']:.0f} s)"
        target = size == "100000"
        yield f"search: one query, {int(size):,} sentences", f"{query} ({cpu})", "p95 under 3 ms" if target else ""
        yield f"search: memory and building, {int(size):,}", f"{spent}; one more in {one['take_in_one_s']:.2f} s", ""
        read = f"p50 {one['read_p50_ms']:.1f}, p95 {one['read_p95_ms']:.1f} ms"
        yield f"search: a text read as a whole, {int(size):,}", f"{read} (CPU p50 {one['read_cpu_p50_ms']:.1f} ms)", ""
        if "same_texts" in one:
            same = f"{one['same_texts']:.3f} of the nearest texts, {one['same_services']:.3f} of the likeliest services"
            yield f"search: the first ten as by weighing every text, {int(size):,}", same, "0.98" if target else ""
            ratio = one["query_cpu_p50_ms"] / one["every_text_cpu_p50_ms"]
            yield f"search: one query / weighing every text, CPU, {int(size):,}", f"**{ratio:.2f}×**", ""


def _save_to_hit(found: Results) -> Iterator[Row]:
    for size, one in found.items():
        also = (
            f"a start takes in all of them in {one['start_s']:.1f} s, a text is read in {one['read_s'] * 1000:.0f} ms"
        )
        target = "under 1 s" if size == "10000" else ""
        yield f"save to hit beside {int(size):,} services", f"**{one['save_to_hit_s']:.2f}** s; {also}", target


def _kb_import(found: Results) -> Iterator[Row]:
    for way, one in found.items():
        steps = ", ".join(f"{step} {one[f'{step}_s']:.1f}" for step in ("read", "plan", "write"))
        also = f"{steps}; CPU {one['all_cpu_s']:.1f} s; search {one['search_s']:.1f}, undo {one['undo_s']:.1f} s"
        yield f"10,000 rows brought in, {way}", f"**{one['all_s']:.1f}** s: {also}", "under 30 s"


def _understand(one: Results) -> Iterator[Row]:
    figure = f"{one['texts_per_s']:.0f} texts/s, p50 {one['p50_ms']:.1f}, **p95 {one['p95_ms']:.1f}** ms"
    yield "understand, 200 characters, one core", figure, "p95 under 10 ms"
    if "screen_p95_ms" in one:
        yield "understand: the danger screen alone, p95", f"{one['screen_p95_ms']:.1f} ms", "under 2 ms"
    yield "understand: loading", f"{one['load_s']:.1f} s", "4 s"


def _conversation(found: Results) -> Iterator[Row]:
    for name, one in found.items():
        yield f"conversation, {name}", f"p50 {one['p50_ms']:.1f}, p95 {one['p95_ms']:.1f} ms", ""
    first, *_, last = found.values()
    yield "conversation: message 500 / message 5", f"**{last['p50_ms'] / first['p50_ms']:.2f}×**", "1.5×"


def _queue(found: Results) -> Iterator[Row]:
    for database, sizes in found.items():
        for size, views in sizes.items():
            for view, one in views.items():
                waited = f"p50 {one['p50_ms']:.1f}, **p95 {one['p95_ms']:.1f}**, p99 {one['p99_ms']:.1f} ms"
                figure = f"{waited}; CPU {one['cpu_ms']:.0f} ms"
                target = "p95 under 50 ms" if (database, size) == ("PostgreSQL", "1000000") else ""
                yield f"queue: {database}, {int(size):,} cases, {view}", figure, target


def _start(found: Results) -> Iterator[Row]:
    for name, seconds in found["seconds"].items():
        yield f"start: {name}", f"{seconds:.1f} s", "10 s" if "first answer, Rasa" in name else ""
    for name, one in found["memory_mb"].items():
        yield f"memory: {name}", f"{one['rss']:.0f} MB (PSS {one['pss']:.0f})", ""
    for name, mb in found["disk_mb"].items():
        yield f"disk: {name}", f"{mb:.0f} MB", ""


PARTS = {
    "turn": _turn, "ack": _ack, "understand": _understand, "conversation": _conversation, "queue": _queue,
    "start": _start,
    "search-growth": _search_growth, "save-to-hit": _save_to_hit, "kb-import": _kb_import,
}  # fmt: skip
