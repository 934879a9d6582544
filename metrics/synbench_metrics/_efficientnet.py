"""EfficientNetV2 (small) without its classifier, with the names of the package timm.

Shape letters
    B  pictures     C  channels     H, W  rows and columns

Layout and padding are those of the first publication in TensorFlow (``tf_efficientnetv2_s``): where
a stride of two does not divide a side, what is missing is filled up behind it.

Reference:
    M. Tan, Q. V. Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from torch import Tensor, nn
from torch.nn import functional

EPS = 1e-3

__all__ = ["SMALL", "EfficientNet", "EfficientNetLayout", "EfficientNetStage"]


@dataclass(frozen=True)
class EfficientNetStage:
    """Blocks of one width; the first of them has the stride."""

    kind: Literal["plain", "fused", "inverted"]
    blocks: int
    channels: int
    expansion: int
    stride: int


@dataclass(frozen=True)
class EfficientNetLayout:
    """Channels of the first convolution, the stages, and channels of the last."""

    first: int
    stages: tuple[EfficientNetStage, ...]
    last: int


SMALL = EfficientNetLayout(
    24,
    (
        EfficientNetStage("plain", 2, 24, 1, 1),
        EfficientNetStage("fused", 4, 48, 4, 2),
        EfficientNetStage("fused", 4, 64, 4, 2),
        EfficientNetStage("inverted", 6, 128, 4, 2),
        EfficientNetStage("inverted", 9, 160, 6, 1),
        EfficientNetStage("inverted", 15, 256, 6, 2),
    ),
    1280,
)


class EfficientNet(nn.Module):
    """Features ``(B, last, H / 32, W / 32)`` of pictures ``(B, 3, H, W)``."""

    def __init__(self, layout: EfficientNetLayout = SMALL) -> None:
        super().__init__()
        self.conv_stem = _Convolution(3, layout.first, 3, stride=2)
        self.bn1 = _norm(layout.first)
        self.blocks = nn.Sequential()
        channels = layout.first
        for stage in layout.stages:
            blocks = []
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                blocks.append(BLOCKS[stage.kind](channels, stage, stride))
                channels = stage.channels
            self.blocks.append(nn.Sequential(*blocks))
        self.conv_head = _Convolution(channels, layout.last, 1)
        self.bn2 = _norm(layout.last)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        features = self.blocks(functional.silu(self.bn1(self.conv_stem(pictures))))
        return functional.silu(self.bn2(self.conv_head(features)))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPS)


class _Convolution(nn.Conv2d):
    """Every ``stride``-th value; sides are padded so that all of a picture is seen."""

    def __init__(
        self, given: int, made: int, width: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(given, made, width, stride=stride, groups=groups, bias=False)

    def forward(self, picture: Tensor) -> Tensor:
        sides: list[int] = []
        for size in (picture.shape[3], picture.shape[2]):
            reach = (-(-size // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0]
            lacking = max(reach - size, 0)
            sides += [lacking // 2, lacking - lacking // 2]
        return super().forward(functional.pad(picture, sides))


class _Block(nn.Module):
    """Adds what it makes to what it is given, where the two have one shape."""

    def __init__(self, given: int, stage: EfficientNetStage, stride: int) -> None:
        super().__init__()
        self.adds = stride == 1 and given == stage.channels

    def forward(self, features: Tensor) -> Tensor:
        made = self.made(features)
        return features + made if self.adds else made

    def made(self, features: Tensor) -> Tensor:
        raise NotImplementedError


class _Plain(_Block):
    def __init__(self, given: int, stage: EfficientNetStage, stride: int) -> None:
        super().__init__(given, stage, stride)
        self.conv = _Convolution(given, stage.channels, 3, stride=stride)
        self.bn1 = _norm(stage.channels)

    def made(self, features: Tensor) -> Tensor:
        return functional.silu(self.bn1(self.conv(features)))


class _Fused(_Block):
    def __init__(self, given: int, stage: EfficientNetStage, stride: int) -> None:
        super().__init__(given, stage, stride)
        wide = given * stage.expansion
        self.conv_exp = _Convolution(given, wide, 3, stride=stride)
        self.bn1 = _norm(wide)
        self.conv_pwl = _Convolution(wide, stage.channels, 1)
        self.bn2 = _norm(stage.channels)

    def made(self, features: Tensor) -> Tensor:
        wide = functional.silu(self.bn1(self.conv_exp(features)))
        return cast(Tensor, self.bn2(self.conv_pwl(wide)))


class _Inverted(_Block):
    def __init__(self, given: int, stage: EfficientNetStage, stride: int) -> None:
        super().__init__(given, stage, stride)
        wide = given * stage.expansion
        self.conv_pw = _Convolution(given, wide, 1)
        self.bn1 = _norm(wide)
        self.conv_dw = _Convolution(wide, wide, 3, stride=stride, groups=wide)
        self.bn2 = _norm(wide)
        self.se = _Squeeze(wide, given // 4)
        self.conv_pwl = _Convolution(wide, stage.channels, 1)
        self.bn3 = _norm(stage.channels)

    def made(self, features: Tensor) -> Tensor:
        wide = functional.silu(self.bn1(self.conv_pw(features)))
        wide = self.se(functional.silu(self.bn2(self.conv_dw(wide))))
        return cast(Tensor, self.bn3(self.conv_pwl(wide)))


class _Squeeze(nn.Module):
    """Weighs channels by what the whole picture holds of them."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, reduced, 1)
        self.conv_expand = nn.Conv2d(reduced, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(dim=(2, 3), keepdim=True)
        weight = self.conv_expand(functional.silu(self.conv_reduce(mean)))
        return cast(Tensor, features * weight.sigmoid())


BLOCKS: dict[str, type[_Block]] = {"plain": _Plain, "fused": _Fused, "inverted": _Inverted}
