"""When models end, as servers reported it, and who was told of it."""
