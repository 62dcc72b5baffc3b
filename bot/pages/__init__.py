"""What every web page shares: the frame of the page, tables, and signed links that stop working.

html.py is the entrance. What a page shows belongs to its own room (the usage page: bot/reports/page.py), its
route to handlers.
"""
