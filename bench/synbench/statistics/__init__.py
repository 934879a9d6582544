"""Intervals and tests that tables, comparisons and listening tests share."""
