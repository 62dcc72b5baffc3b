"""The page `/knowledge`: documents, questions answered and refused, notes and field tables of a channel."""
