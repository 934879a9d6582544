"""Training of the MDCT codec family: the teacher (any MDCTCodec) and P2PSynCodec's predictors.

Shape letters as in :mod:`synbench_codecs._mdct`. Every step draws from generators seeded by
(seed, step, rank) alone, so a resumed run needs no state of random numbers and equals a straight
one.
"""
