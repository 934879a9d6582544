"""Papers' tables, figures and claims beside what is measured."""
