"""The inbox's rows: what was received, in what order, and what became of it.

When a job runs is decided in bot/jobs.
"""
