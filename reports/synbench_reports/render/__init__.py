"""Tables as terminal text, Markdown, LaTeX, Typst, Word, CSV and Parquet."""
