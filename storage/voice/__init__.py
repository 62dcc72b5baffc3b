"""Recordings in words: parts, cards, and the minutes that count.

clips.py is the entrance. The recordings themselves are never stored.
"""
