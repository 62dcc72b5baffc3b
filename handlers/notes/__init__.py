"""Notes in Slack: remembered, listed, edited, dated and erased."""
