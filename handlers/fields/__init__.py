"""Fields in Slack: the form that describes them, tables in the thread, the review of doubtful values."""
