"""Result files of other tools, read into the long table: one file per tool."""
