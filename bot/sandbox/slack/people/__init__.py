"""What people do in the fake Slack: write, react, press, fill in.

person.py and interactions.py are the entrances, for tests and for the page.
"""
