"""A fake Slack over HTTP and WebSocket: workspaces, the Web API, deliveries to the app, and people who act.

server.py is the entrance. api/ answers the app, delivery/ sends to it, people/ acts on it.
"""
