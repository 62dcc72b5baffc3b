"""A fake model API, strict like the real ones: endpoints, usage, faults on order.

server.py is the entrance. What it says comes from bot/sandbox/rehearsal; relay.py stands before a real model.
"""
