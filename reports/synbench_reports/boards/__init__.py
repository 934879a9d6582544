"""Runs as what others read: boards of one corpus each, the results document, citations, files."""
