"""The cards of voice clips in Slack: shown, corrected, translated, forgotten.

cards.py shows them, listeners.py answers their buttons. Listening is bot/voice.
"""
