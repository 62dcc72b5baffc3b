"""How Parley answers in a channel: persona, model, style and length, and where each of them comes from.

service.py is the entrance. What a channel is for is bot/guard, which clips are heard there bot/voice.
"""
