"""The page `/knowledge`: documents, questions answered and refused, notes and field tables of a channel.

service.py is the entrance and page.py how it looks; each section has a file of its own. Who may open it, and
what of which channel they may see, is asked of Slack by handlers/knowledge_page.py each time.
"""
