"""Statistics, tables and files made from what a run stored."""
