"""Recordings in words: parts, cards, and the minutes that count.

The recordings themselves are never stored.
"""
