"""One message to one answer: the turn, what is committed around it, and memory.

turn.py is the story on one screen, service.py does it once and only once, memory.py is what a thread
remembers. How a reply gets into Slack is handlers/reply.
"""
