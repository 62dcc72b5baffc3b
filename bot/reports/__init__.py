"""Usage reports: who may see which sums, as text, files, charts, a web page and a weekly digest.

service.py is the entrance, also for changing budgets and naming owners, because who may is decided there.
Nothing here books a cost; that is bot/costs.
"""
