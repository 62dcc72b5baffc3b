"""Forgetting, erasing by age, exporting and taking names out, over the tables of every room.

When and for whom is bot/privacy.
"""
