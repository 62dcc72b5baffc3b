"""Who owns a channel, and what it wants differently from the workspace.

owners.py and preferences.py, nothing else. Who may change it is decided in handlers/slack/permissions.py.
"""
