"""What several processes on one database say to each other: messages, duties, and who is at work on what.

The list of processes itself is kept by the engine (storage/postgres/presence.py).
"""
