"""What the assistant does and decides. It knows neither Slack's objects (handlers/) nor SQL (storage/).

bot/app.py wires the rooms together; bot/conversation/turn.py is one message from question to answer.
"""

VERSION = "0.1.0"  # of the distribution too (pyproject.toml); `make release` reads it here
