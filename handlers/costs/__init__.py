"""Money in Slack: `/parley usage`, budgets, estimates, warnings, the digest, the usage page.

commands.py answers, `/parley owner` too; notices.py writes unasked. Figures come from bot/reports.
"""
