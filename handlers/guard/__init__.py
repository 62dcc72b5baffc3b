"""Verdicts in Slack: why a message was answered or refused, and the buttons that overturn it.

listeners.py is the entrance, record.py the window with what the guard did. Judging is bot/guard.
"""
