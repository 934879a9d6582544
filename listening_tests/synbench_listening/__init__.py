"""Listening tests made from a run's reconstructions."""
