"""Plain text without a model: tokens, languages, hidden characters, secrets taken out.

Each file stands alone: pure functions over texts. What a text means is the business of bot/ml and of the
models.
"""
