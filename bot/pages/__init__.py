"""What every web page shares, such as links that are signed and stop working.

What a page shows belongs to its own room (the usage page: bot/reports/page.py), its route to handlers.
"""
