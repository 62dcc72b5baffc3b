"""The invented company that documents are measured on: its texts, its questions, and the figures of both.

`python -m tests.bench.knowledge` prints the figures (`make bench-knowledge`).
"""
