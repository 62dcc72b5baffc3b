"""Verdicts in Slack: why a message was answered or refused, and the buttons that overturn it.

listeners.py is the entrance. Judging is bot/guard.
"""
