"""The MDCT codec family: transform, backbone, quantizers, predictors and their training.

Shape letters of this folder: B batch, T samples, F MDCT frames, L tokens, C channels,
K components of a code vector, N codes of a codebook, Q codebooks.

Nothing here imports torch before it is asked for; :mod:`synbench_codecs.adapters.mdctcodec` and
:mod:`synbench_codecs.adapters.p2psyncodec` are the codecs.
"""
