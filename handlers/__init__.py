"""Slack: what arrives and what is shown. The only importer of slack_bolt and slack_sdk.

routes.py lists everything that Slack can send, serve.py is the running bot. What to do about it is
decided in bot/.
"""
