"""From a study file and a run to stimuli and a plan of sessions."""
