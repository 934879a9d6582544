"""What listeners sent: taken, checked, stored as ratings, exported."""
