"""Training and comparing small models of channels, whatever they judge.

A kind of model is a head (head.py); the guard's discriminator is the first. Enter at trainer.py, which
trains, stores and rolls back, and at training_jobs.py, which has that done by the inbox. What a head learns
from and how it fits is the head's own; how models are fitted and measured is bot/ml's.
"""
