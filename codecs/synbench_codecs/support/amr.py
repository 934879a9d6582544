"""What AMR-NB and AMR-WB share: frames in the storage format of RFC 4867, and their decoding.

A packet of that format is a table-of-contents byte, which names the frame type, and then the frame
in whole bytes. Only the frame's own bits are kept and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synbench_codecs._interface import CodecInfo, Encoded, Wave
from synbench_codecs.support.ffmpeg import decode_packets
from synbench_codecs.support.speech_frames import join_frames, split_frames

__all__ = ["AmrCodec"]


class AmrCodec:
    """The half of an AMR codec behind its encoder.

    A subclass sets ``info``, ``bits_per_frame`` and ``frame_type``, and gives ``encode``.

    Attributes:
        decoder: its name in PyAV.
        lost_frame_type: what stands for a lost frame in the storage format.
        frame_type: of every frame that is coded, the mode's number.
    """

    decoder: ClassVar[str]
    lost_frame_type: ClassVar[int]
    info: CodecInfo
    bits_per_frame: int
    frame_type: int

    def decode(self, encoded: Encoded) -> Wave:
        """The wave at the codec's rate, delay included."""
        return self._decoded(self._packets(encoded))

    def decode_with_losses(self, encoded: Encoded, lost: NDArray[np.bool_]) -> Wave:
        """The same, bridged by the decoder where frames were lost."""
        packets = self._packets(encoded)
        nothing = _contents(self.lost_frame_type)
        return self._decoded(
            [nothing if is_lost else packet for packet, is_lost in zip(packets, lost, strict=True)]
        )

    def _joined(self, packets: Sequence[bytes], n_samples: int) -> Encoded:
        """The coded wave from packets of the storage format."""
        return join_frames(
            [packet[1:] for packet in packets],
            bits_per_frame=self.bits_per_frame,
            n_samples=n_samples,
            info=self.info,
        )

    def _packets(self, encoded: Encoded) -> list[bytes]:
        frames = split_frames(encoded, bits_per_frame=self.bits_per_frame, info=self.info)
        return [_contents(self.frame_type) + frame for frame in frames]

    def _decoded(self, packets: list[bytes]) -> Wave:
        sample_rate = self.info.sample_rate
        assert sample_rate is not None
        return decode_packets(packets, decoder=self.decoder, sample_rate=sample_rate)


def _contents(frame_type: int) -> bytes:
    """The table-of-contents byte: the last frame of a packet, of good quality."""
    return bytes([frame_type << 3 | 0b100])
