"""Ledger, sums, budgets and who gets a digest. Money is whole nano-dollars.

ledger.py is written at each request, budgets.py with it. Prices and rules are bot/costs.
"""
