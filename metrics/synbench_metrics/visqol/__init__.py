"""ViSQOL: Virtual Speech Quality Objective Listener, in its three modes.

Conventions
    reference, degraded   mono, ``(samples,)``, full scale at -1 and 1
    sample_rate           16 kHz for speech, 48 kHz for audio
    value                 MOS-LQO, 1 to 5, bigger is better

===========================  ======  =====  ====================  ====================
column                       rate    bands  mapping               identity
===========================  ======  =====  ====================  ====================
``visqol_speech_lattice``    16 kHz  21     deep lattice network  4.5 to 4.67
``visqol_speech_exp``        16 kHz  21     exponential           5.0
``visqol_audio``             48 kHz  32     support vectors       4.732
===========================  ======  =====  ====================  ====================

The two speech mappings differ by almost two points on neural codecs, so a bare "ViSQOL" says
nothing. The lattice is the default of the reference program's command line; the exponential is what
its Python interface gives unless the lattice is asked for. Neither ever falls back to the other.

This is an own implementation of version 3.3.3. It reproduces the constants that the reference
program is tested against; see :mod:`synbench_metrics.visqol._alignment` for where another port does
not. The degraded wave is delayed or cut to match the reference and brought to its level, so level,
polarity and a delay of up to half the reference matter little. The lengths may differ here;
:func:`synbench_metrics.score` insists on equal ones.

Pitfalls
    - Name the mode: the two speech columns differ by up to two points.
    - It compares with the original: what a generative codec makes up costs, however natural it is.
    - `visqol_audio` hears 48 kHz and judges a 16 kHz codec for the band that it lacks.

References:
    M. Chinen et al., "ViSQOL v3: An Open Source Production Ready Objective Speech and Audio
    Metric", QoMEX 2020. A. Hines et al., "ViSQOLAudio", J. Acoust. Soc. Am. 137(6), 2015.
"""

from synbench_metrics.visqol.columns import METRICS

__all__ = ["METRICS"]
