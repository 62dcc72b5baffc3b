"""Trained versions of small models, whatever they judge: one table for each kind.

What stands in a model is bot/learning's and its head's to know; what it learns from, the head's storage.
"""
