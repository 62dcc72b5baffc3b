"""Forms of fields, the rows that documents yielded, and what reviews taught."""
