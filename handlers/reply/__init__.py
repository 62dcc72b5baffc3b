"""A reply in Slack, exactly once: streamed, filtered, split, made final.

reply.py is the entrance; output_filter.py is what every word of a model passes. What the reply says comes
from bot/conversation.
"""
