"""Several processes on one database: what they tell each other, and what one of them does for all.

Where a process has its database alone, nothing here costs anything. Whose job is whose: bot/jobs.
"""
