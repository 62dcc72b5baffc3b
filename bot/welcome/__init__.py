"""First contact: that people talk with an AI, and the note for whoever invites it into a channel.

disclosures.py has the sentence and who was told it; invitations.py makes the note. How both look in Slack,
and the first page of App Home, is handlers/welcome.
"""
