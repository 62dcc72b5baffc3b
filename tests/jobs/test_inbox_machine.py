"""The inbox's rows against a plain model, in whatever order things happen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.core.errors import Missing
from storage.jobs import inbox, recovery
from storage.jobs.inbox import Job
from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx

MAX_CRASHES = 3
CONVERSATIONS = st.sampled_from("ab")


@dataclass
class Row:
    key: str
    conversation: str
    state: str = "new"
    running: bool = False
    attempts: int = 0
    tries: int = 0
    crashes: int = 0
    suspicions: int = 0
    due_at: float = 0


class InboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.db = connect(Path(self.folder.name) / "p.db")
        migrate(self.db)
        self.db.execute("pragma synchronous=off")
        self.tx = SqliteTx(self.db.conn)
        self.rows: dict[int, Row] = {}
        self.held: list[Job] = []  # by workers that believe to own them
        self.stale: list[Job] = []
        self.now = 1.0
        self.effects: list[int] = []
        self.finished: list[int] = []

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    def head(self, conversation: str) -> int | None:
        open_rows = (s for s, r in self.rows.items() if r.conversation == conversation and r.state == "new")
        return min(open_rows, default=None)

    @rule(key=st.integers(0, 9), conversation=CONVERSATIONS)
    def put(self, key: int, conversation: str) -> None:
        known = {row.key for row in self.rows.values()}
        stored = inbox.put(self.tx, f"k{key}", conversation, "m", "{}", now=self.now)
        assert stored == (f"k{key}" not in known)
        if stored:
            row = self.tx.one("select seq from inbox where key = :key", key=f"k{key}")
            assert row is not None
            assert row["seq"] > max(self.rows, default=0)
            self.rows[row["seq"]] = Row(f"k{key}", conversation, due_at=self.now)

    @rule(conversation=CONVERSATIONS)
    def take(self, conversation: str) -> None:
        found = inbox.take(self.tx, conversation, now=self.now)
        seq = self.head(conversation)
        busy = any(row.running for row in self.rows.values() if row.conversation == conversation)
        if seq is None or busy:
            assert found is None
        elif self.rows[seq].due_at > self.now:
            assert found == self.rows[seq].due_at
        else:
            row = self.rows[seq]
            row.running, row.attempts = True, row.attempts + 1
            assert isinstance(found, Job)
            assert (found.seq, found.attempts, found.tries) == (seq, row.attempts, row.tries)
            self.held.append(found)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        job = self.pop(data, self.held)
        assert inbox.finish(self.tx, job, lambda tx: self.effects.append(job.seq), now=self.now)
        self.settle(job, state="done")
        self.finished.append(job.seq)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), counts=st.booleans(), delay=st.integers(0, 5))
    def fail(self, data: st.DataObject, counts: bool, delay: int) -> None:
        job = self.pop(data, self.held)
        assert inbox.fail(self.tx, job, "failed", due_at=self.now + delay, counts=counts)
        self.settle(job, tries=job.tries + counts, due_at=self.now + delay)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def park(self, data: st.DataObject) -> None:
        job = self.pop(data, self.held)
        assert inbox.park(self.tx, job, "hopeless")
        self.settle(job, state="parked", tries=job.tries + 1)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        job = self.pop(data, self.held)
        assert inbox.give_back(self.tx, job)
        self.settle(job)

    @rule()
    def the_process_dies_and_starts_again(self) -> None:
        self.stale += self.held
        self.held = []
        died = [row for row in self.rows.values() if row.running]
        for row in self.rows.values():
            if row.running:
                row.running = False
                row.suspicions += len(died) > 1
            elif died and row.state == "new":
                row.suspicions = max(0, row.suspicions - 1)
        if len(died) == 1:
            died[0].crashes += 1
            died[0].due_at = max(died[0].due_at, self.now + {1: 0, 2: 5}.get(died[0].crashes, 30))
        killed = [s for s, r in self.rows.items() if r.state == "new" and r.crashes >= MAX_CRASHES]
        for seq in killed:
            self.rows[seq].state = "parked"
        parked = recovery.recover(self.tx, max_crashes=MAX_CRASHES, now=self.now)
        waiting = recovery.waiting(self.tx)
        assert sorted(job.seq for job in parked) == killed
        heads = [h for c in "ab" if (h := self.head(c)) is not None]
        first = [self.rows[h] for h in sorted(heads)]
        assert [w.conversation for w in waiting] == [row.conversation for row in first]
        assert [w.due_at for w in waiting] == [row.due_at for row in first]
        assert [w.deaths for w in waiting] == [row.crashes + row.suspicions for row in first]

    @rule(seq=st.integers(1, 6))
    def replay(self, seq: int) -> None:
        row = self.rows.get(seq)
        if row is None or row.state != "parked":
            self.expect_missing(inbox.replay, seq)
            return
        assert inbox.replay(self.tx, seq, now=self.now) == row.conversation
        row.state, row.tries, row.crashes, row.suspicions, row.due_at = "new", 0, 0, 0, self.now

    @rule(seq=st.integers(1, 6), by_key=st.booleans())
    def close(self, seq: int, by_key: bool) -> None:
        row = self.rows.get(seq)
        closable = row is not None and row.state in ("new", "parked") and not row.running
        if by_key and row is not None:
            assert inbox.cancel(self.tx, row.key, now=self.now) == closable
        elif closable:
            inbox.discard(self.tx, seq, now=self.now)
        else:
            self.expect_missing(inbox.discard, seq)
            return
        if closable and row is not None:
            row.state = "done"

    @rule(seconds=st.integers(1, 4))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def every_row_is_as_the_model_says(self) -> None:
        stored = {row["seq"]: row for row in self.tx.all("select * from inbox")}
        assert stored.keys() == self.rows.keys()
        for seq, row in self.rows.items():
            stored_row = stored[seq]
            for name in ("key", "conversation", "state", "attempts", "tries", "crashes", "suspicions"):
                assert stored_row[name] == getattr(row, name), (seq, name)
            assert bool(stored_row["running"]) == row.running
            assert (stored_row["payload"] is None) == (row.state == "done")

    @invariant()
    def at_most_one_runs_per_conversation(self) -> None:
        running = [row.conversation for row in self.rows.values() if row.running]
        assert len(running) == len(set(running))

    @invariant()
    def effects_happen_exactly_when_a_job_is_finished(self) -> None:
        assert self.effects == self.finished
        assert len(set(self.finished)) == len(self.finished)

    @invariant()
    def overtaken_workers_change_nothing(self) -> None:
        for job in self.stale[-2:]:
            assert not inbox.finish(self.tx, job, lambda tx: self.effects.append(-1), now=self.now)
            assert not inbox.fail(self.tx, job, "stale", due_at=99)
            assert not inbox.park(self.tx, job, "stale")
            assert not inbox.give_back(self.tx, job)

    def pop(self, data: st.DataObject, jobs: list[Job]) -> Job:
        return jobs.pop(data.draw(st.integers(0, len(jobs) - 1)))

    def settle(self, job: Job, **changes: Any) -> None:
        row = self.rows[job.seq]
        row.running = False
        for name, value in changes.items():
            setattr(row, name, value)

    def expect_missing(self, change: Any, seq: int) -> None:
        try:
            change(self.tx, seq, now=self.now)
        except Missing:
            return
        raise AssertionError(f"{change.__name__} of {seq} should be refused")


TestInboxMachine = InboxMachine.TestCase
TestInboxMachine.settings = settings(
    max_examples=50, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow]
)
