"""A whole life of Parley in milliseconds: real intake, inbox, turns, replies and ledger between a scripted
Slack and model, on virtual time, killed and failed at random; the same seed is the same story.

    python -m tests.simulator --schedules 1000        seeds 0 … 999, a line for each that breaks a promise
    python -m tests.simulator --seed 17               that one alone, with everything that happened

What is real: every class between Bolt's listeners and SQL, on a real SQLite database. What is not: sockets,
threads, the disk; those are shown with real processes by tests/kills/test_kills.py and
tests/storage/test_disk.py.
"""
