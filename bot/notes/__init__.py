"""Notes: what somebody asked to be remembered, found like documents, with who said it and when."""
