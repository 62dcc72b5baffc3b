"""A fake model API over HTTP, and a relay that records requests to a real one.

server.py is the entrance. What the fake model says is decided in ../rehearsal.
"""
