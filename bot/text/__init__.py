"""Plain text without a model: tokens, languages, hidden characters, secrets taken out.

Pure functions over texts; what a text means is the business of bot/ml and of the models.
"""
