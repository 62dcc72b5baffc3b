"""Unanswered questions in Slack: what a refusal shows its asker, the owner's list, people who know."""
