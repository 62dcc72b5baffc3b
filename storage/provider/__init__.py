"""What is remembered of models and their answers, such as parameters that a model refuses.

Asking is bot/provider.
"""
