"""The tables of the guard: policies, labelled examples, trained models, verdicts, open questions.

What stands in a policy or a model is for bot/guard and bot/ml to know.
"""
