"""Who was told when that they talk with an AI.

disclosures.py alone. What they are told is bot/welcome.
"""
