"""Corpora, suites, planning, running and storing comparisons of speech codecs."""
