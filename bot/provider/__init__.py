"""The only place where a model API is asked: budget, fair share, request, ledger.

service.py is the entrance. text.py, audio.py, vectors.py and decisions.py are the kinds of request; prompts
are written by the rooms that ask.
"""
