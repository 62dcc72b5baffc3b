"""The fake Slack's Web API: one file for each family of methods.

server.py is the entrance: it checks token, limits, scopes and arguments, then calls the method.
"""
