"""Documents in Slack: added, shown on a card, listed, replaced and removed, and what happens to their files.

listeners.py has what people press and send, commands.py `/parley knowledge`;
sources.py is Slack as bot/knowledge sees it.
"""
