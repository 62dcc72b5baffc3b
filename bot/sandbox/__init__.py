"""A workspace on one's own machine: a fake Slack, a fake model API, and a page for both.

It imports nothing of ours and speaks HTTP and WebSocket only, so that the real bot cannot tell the
difference. Enter at run.py.
"""
