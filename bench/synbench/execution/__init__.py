"""Planning what is missing, running it on all cores, storing it."""
