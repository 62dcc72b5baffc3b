"""Who owns a channel, and what it wants differently from the workspace.

Who may change it is decided in handlers/slack/permissions.py.
"""
