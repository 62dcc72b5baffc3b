"""Usage reports: who may see which sums, as text, files, charts, a web page and a weekly digest.

service.py is the entrance. Nothing here books or changes a cost; that is bot/costs.
"""
