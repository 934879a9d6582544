"""From ratings to screened listeners, means, intervals and tests."""
