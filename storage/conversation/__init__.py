"""What was said in conversations, and the reply of each message until Slack has all of it.

messages.py and replies.py; what they are written for is bot/conversation.
"""
