"""One offline HTML file with players and spectrograms."""
