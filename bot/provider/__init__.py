"""The only place where models are asked: budget, fair share, request, ledger.

text.py answers in text, streamed or whole; client.py asks for what comes in one piece (vectors, recordings,
decisions). One file for each concern of a request; prompts are written by the rooms that ask.
"""
