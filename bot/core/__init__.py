"""Values, errors and settings that every room uses.

Nothing here knows a model, a database or Slack. Enter at values.py for what travels, errors.py for what can
go wrong, settings.py for what an operator can set.
"""
