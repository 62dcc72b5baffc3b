"""The settings of a channel: `/parley settings`, `/parley keep`, and their form.

listeners.py is the entrance. What the settings mean is bot/guard, bot/voice and bot/privacy.
"""
