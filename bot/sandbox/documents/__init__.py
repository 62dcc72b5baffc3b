"""The documents of #handbook in the sandbox, of an invented company, and the writers that make them.

`python -m bot.sandbox.documents.make` makes the files again from the texts beside it (make.py).
"""
