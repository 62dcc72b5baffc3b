"""What holds of every model request: it has a row before it is made, the row says how it ended, and reports
read the rows' sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from storage.costs.ledger import DIMS, KEY, SUMS
from tests.simulator.model import WHOLE, Asked
from tests.simulator.part import Part

# A ledger row as it counts in the sums.
ROW = """select l.*, substr(day, 1, 7) as month, 1 as requests, coalesce(cost, 0) as paid,
    cost is null as unpriced, case when outcome in ('failed', 'unknown') then coalesce(cost, 0) else 0 end
    as wasted from ledger l where outcome <> 'open'"""


class Accounts(Part):
    """B1 of every story."""

    def made(self, asked: Asked) -> Iterator[str]:
        """Each request that is under way has an open row of its own."""
        under_way = sum(other.life is asked.life and not other.end for other in self.story.asked)
        row = self.story.tx.one("select count(*) as n from ledger where outcome = 'open'")
        if row and row["n"] < under_way:
            yield f"{under_way} requests are under way, {row['n']} rows are open"

    def broken(self) -> Iterator[str]:
        yield from self._rows()
        yield from self._tokens()
        yield from self._sums()
        yield from self._amounts()

    def _rows(self) -> Iterator[str]:
        """A row for each request, all of them ended, each counted once."""
        story = self.story
        made = Counter(asked.kind for asked in story.asked)
        story.outcome.counts["requests"] += made.total()
        found = story.tx.all("select kind, outcome, count(*) as n from ledger group by kind, outcome")
        kinds = {row["kind"] for row in found} | made.keys()
        for kind in sorted(kinds):
            rows = Counter({row["outcome"]: row["n"] for row in found if row["kind"] == kind})
            story.outcome.counts["unseen ends"] += rows["unknown"]
            if rows["open"]:
                yield f"ledger rows left open: {kind} {rows}"
            if not rows["ok"] + rows["broken"] <= made[kind] <= rows.total():
                yield f"{made[kind]} requests for {kind} were made, the ledger has {rows}"
            never_sent = rows.total() - made[kind] - rows["unknown"] - rows["stopped"]
            if never_sent > rows["failed"]:
                yield f"rows without a request: {kind} {rows}, {made[kind]} made"

    def _tokens(self) -> Iterator[str]:
        """What is booked as answered whole was, to the token; and with what was reported."""
        whole = Counter((asked.kind, *asked.used) for asked in self.story.asked if asked.end == WHOLE)
        rows = self.story.tx.all(
            "select kind, input_tokens as read, output_tokens as said from ledger where outcome = 'ok'"
        )
        booked = Counter((row["kind"], row["read"], row["said"]) for row in rows)
        if too_many := booked - whole:
            yield f"booked as answered, and never reported: {dict(too_many)}"

    def _sums(self) -> Iterator[str]:
        """The tables that reports read hold what the ledger adds up to, and nothing else."""
        if self.story.tx.one("select 1 as found from audit where act = 'forgot person'"):
            return  # the sums of a direct message are renamed whole, of the ledger only the person's own rows
        adding = ", ".join(f"sum({'paid' if name == 'cost' else name}) as {name}" for name in SUMS)
        for table, key, source in (
            ("usage_days", KEY, ROW),
            ("usage_months", ("team", "month", "dim", "channel", "value"), _by_dimension()),
        ):
            of, columns = ", ".join(key), ", ".join((*key, *SUMS))
            summed = f"select {of}, {adding} from ({source}) group by {of}"
            for one, other in (
                (f"select {columns} from {table}", summed),
                (summed, f"select {columns} from {table}"),
            ):
                if differing := self.story.tx.all(f"{one} except {other}"):
                    yield f"{table} is not the ledger's sum: {differing}"

    def _amounts(self) -> Iterator[str]:
        """Nothing is set aside any more; what nobody saw the end of costs what was set aside for it."""
        tx = self.story.tx
        held = tx.one("select count(*) as n, coalesce(sum(amount), 0) as amount from budget_holds")
        reserved = tx.one("select coalesce(sum(reserved), 0) as n from budget_use")
        if (held and held["n"]) or (reserved and reserved["n"]):
            yield f"money is still set aside: {held}, {reserved}"
        if wrong := tx.all(
            "select kind, outcome, reserved, cost, input_tokens, output_tokens from ledger where"
            " cost > reserved or (outcome = 'unknown' and cost <> reserved)"
            " or (outcome = 'failed' and cost <> 0) or (outcome = 'ok' and cost = 0)"
        ):
            yield f"booked at a wrong price: {wrong}"


def _by_dimension() -> str:
    return " union all ".join(f"select *, '{dim}' as dim, {dim} as value from ({ROW})" for dim in DIMS)
