"""The rows of the search."""

from loadtest.bench.machine import probe
from loadtest.bench.measure import Rate, paired
from loadtest.bench.rows import Figure, Table
from loadtest.bench.search_side import CONNECTIONS, Inventory, SearchSide
from loadtest.stats import median

TABLE: Table[SearchSide] = Table()


@TABLE.row("origin.search_p99_ms", "<=", 25)
def search_p99_ms(side: SearchSide) -> Figure:
    """The 99th percentile of a search's time over HTTP among a million slots, 50 km, 7 days, for 16 clients at once.

    Whole path: admission verified, one statement, a page of 50 slots. It is the median of the runs' percentiles.
    """
    runs, probes, many, used = [], [probe()], side.many, [0.0, 0.0, 0.0]
    for _ in range(side.config.pairs):
        before = many.origin.cpu_s(), many.database_cpu_s()
        load = side.wrk.run(many.origin.url, many.searches, seconds=side.config.seconds, connections=CONNECTIONS)
        runs.append((load.p99_ms, load.p50_ms, load.rate(200)))
        spent = many.origin.cpu_s() - before[0], many.database_cpu_s() - before[1], load.answered
        used = [total + more for total, more in zip(used, spent, strict=True)]
        probes.append(probe())
    worst, middle, rates = zip(*runs, strict=True)
    note = (
        f"{min(worst):.1f} to {max(worst):.1f}; the median {median(middle):.1f} ms; {median(rates):,.0f} searches/s; "
        f"CPU each: origin {1e6 * used[0] / used[2]:.0f} µs, database {1e6 * used[1] / used[2]:.0f} µs"
    )
    return Figure(median(worst), note, tuple(probes))


@TABLE.row("origin.search_growth", "<=", 1.3)
def search_growth(side: SearchSide) -> Figure:
    """What a search costs among a million slots ÷ what it costs among ten thousand, where it finds as much.

    The worse of two medians over pairs: time per search over HTTP, and the database's CPU time, which HTTP cannot hide.
    """

    def once(inventory: Inventory) -> Rate:
        before, cpu_before = inventory.database_cpu_s(), inventory.origin.cpu_s()
        load = side.wrk.run(
            inventory.origin.url, inventory.searches, seconds=side.config.seconds, connections=CONNECTIONS
        )
        used, cpu = inventory.database_cpu_s() - before, inventory.origin.cpu_s() - cpu_before
        return Rate(load.rate(200), load.answered / cpu, load.answered / used)

    pair = paired(lambda: once(side.few), lambda: once(side.many), side.config.pairs)
    few, many = ([1e6 / rate.per_store_s for rate in rates] for rates in (pair.ours, pair.base))
    note = (
        f"by the clock {pair.ratio:.2f}; the database's CPU {pair.store_ratio:.2f} "
        f"({median(few):.0f} to {median(many):.0f} µs)"
    )
    return Figure(max(pair.ratio, pair.store_ratio), note, pair.probes)
