"""Limits of Slack's and of model servers, divided between the processes on one database.

sharing.py is the entrance, division.py the arithmetic. What is limited, and what is done with a part of it,
is handlers/slack and bot/provider; the rows are storage/limits.
"""
