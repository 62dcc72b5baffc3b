"""The SQLite engine: one file, one writer, readers beside it, errors mapped to ours.

engine.py is the entrance. No table is known here.
"""
