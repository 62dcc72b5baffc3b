"""Ledger, sums, budgets and who gets a digest. Money is whole nano-dollars.

Prices and rules are bot/costs.
"""
