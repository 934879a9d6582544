"""Command lines of this package, loaded by name."""
