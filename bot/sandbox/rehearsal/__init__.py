"""What the fake model says: answers, summaries, verdicts and transcripts made by plain rules.

answers.py is the entrance. No HTTP here; that is bot/sandbox/model.
"""
