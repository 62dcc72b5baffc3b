"""Models that end: looked for every day, and told in time to whoever has to choose another.

When a model ends and who follows it is known to bot/provider/catalogue.py. The entry is `service.py`.
"""
