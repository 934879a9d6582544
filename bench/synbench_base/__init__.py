"""The ground floor: rules that codecs, metrics, bench, reports and listening tests share.

``errors``      what can go wrong, and the exit code it ends with
``registry``    codecs, metrics and corpora by name
``weights``     checkpoints: where they lie, and that they are the pinned ones
``cache``       the user's cache folder
``device``      where networks run
``packages``    optional packages and the files inside them
``files``       files that are complete under their name, or not there
``outputs``     what a user names with --out: files, links, pipes, devices
``folders``     the one walk through folders of audio, and which files belong together
``sound_files`` reading audio whole, or saying what is absent of it
``text_table``  CSV and TSV, strictly
``yaml_text``   reading YAML, and explaining what is wrong with it
``close_names`` the name that was probably meant
``option_values``  options: text that stays text

Every module is imported by its name; importing this package alone costs nothing. Nothing here
imports anything else of synbench.
"""
