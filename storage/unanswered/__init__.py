"""Questions that could not be answered, and what became of each."""
