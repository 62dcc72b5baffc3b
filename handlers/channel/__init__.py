"""The settings of a channel and of the workspace: `/parley settings`, `/parley keep`, and their forms.

listeners.py is the entrance for a channel, workspace.py for the workspace. What the settings mean is
bot/channel, bot/guard, bot/voice and bot/privacy.
"""
