"""Questions that documents could not answer: grouped by meaning, repaired, and asked again."""
