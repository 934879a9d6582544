"""One file for each codec; a file here that defines ``CODECS`` is found by its name."""
