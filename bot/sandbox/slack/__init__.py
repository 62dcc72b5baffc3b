"""A fake Slack, strict where Slack is: its state, its limits, its faults, its record.

server.py is the entrance. Its Web API is in api/, what people do in people/, what the app is sent
in delivery/.
"""
