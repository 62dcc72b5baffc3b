"""What the fake model answers: text, filled forms, pictures, and the words in a recording. No HTTP.

answers.py is the entrance.
"""
