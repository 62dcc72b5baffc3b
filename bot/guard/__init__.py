"""Keeping a channel to its subject: its policy, the verdict on each message, and what people teach.

service.py is the entrance, ladder.py the order in which a message is judged. The classifier itself is bot/ml,
rows are storage/guard, buttons and windows are handlers/guard.
"""
