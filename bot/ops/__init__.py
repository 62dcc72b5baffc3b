"""What an operator sees: logs, metrics, errors in plain words, and the socket for commands.

No content and no names of people leave through here. The commands themselves are in bot/cli.
"""
