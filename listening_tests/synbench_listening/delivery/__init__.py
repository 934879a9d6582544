"""How a study reaches listeners: page, offline file, webMUSHRA."""
