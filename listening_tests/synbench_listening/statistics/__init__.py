"""Statistics of listening tests: the listener is the unit, unless a name says otherwise."""
