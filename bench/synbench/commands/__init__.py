"""The sub-commands of ``synbench``, one file each."""
