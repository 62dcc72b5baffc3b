"""Slack's API, payloads and blocks, as every other room of handlers uses them.

client.py makes every request to the Web API, permissions.py says who may do what. No feature stands here.
"""
