"""What the fake Slack sends to the app: events, commands and interactions, by socket or HTTP.

dispatch.py is the entrance; socket.py and dispatch.py are the two ways, events.py and payloads.py the shapes.
"""
