"""What an operator sees: logs, metrics, errors in plain words, and the socket for commands.

Logs (logs.py) and metrics (metrics.py) hold no content and no names of people. The commands are in bot/cli.
"""
