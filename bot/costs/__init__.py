"""Prices, the ledger of every model request, and budgets.

ledger.py books a request before it is made and settles it once; budgets.py is what owners set. Reading the
ledger as a report is bot/reports; rows and sums are storage/costs.
"""
