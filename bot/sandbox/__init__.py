"""Runs Parley on one machine without any account: a fake Slack, a fake model API, and a page to use them.

run.py starts everything; page/ is what the browser shows, page_server.py serves it. Imports nothing of ours
from outside this folder: the bot runs as a process of its own and is given addresses.
"""
