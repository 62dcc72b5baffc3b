"""First contact in Slack: that people talk with an AI, notes to who invites it, the first page of App Home.

first_answer.py is for commands, note.py and delivery.py for invitations, newcomer.py for App Home. Who was
told what is bot/welcome.
"""
