"""The server behind the page: sessions, answers, clips, progress, and what is exported."""
