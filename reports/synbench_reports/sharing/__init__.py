"""A run made ready for others: a folder or archive with licences, citations and metadata."""
