"""The networks of codecs that synbench builds itself."""
