"""What people do in the fake Slack: they write, react, press buttons, fill modals.

Every act is logged, so that a session can be done again.
"""
