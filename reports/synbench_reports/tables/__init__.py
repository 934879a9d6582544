"""What a table holds: columns, estimates, marks and notes."""
