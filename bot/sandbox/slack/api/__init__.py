"""Slack's Web API: one file per family of methods. server.py is the entrance."""
