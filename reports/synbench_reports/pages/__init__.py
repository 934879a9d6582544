"""Pages of results: one file of a run, a site of many; templates, style and scripts of both."""
