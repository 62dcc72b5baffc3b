"""Slack's API, payloads and blocks, as every other room of handlers uses them.

client.py makes every request. No feature is decided here.
"""
