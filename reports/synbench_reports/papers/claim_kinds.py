"""The claims that a paper makes in words, as its specification states them.

equality    a codec is comparable to others: tested for equality, beside the paper's criterion
share       its cost is a share of another's: of the printed table, and counted here
saving      it takes fewer bits than others
order       it is above another in every column of a table
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Claim", "EqualityClaim", "OrderClaim", "SavingClaim", "ShareClaim", "read_claim"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What all claims have.

    Attributes:
        text: the claim in words.
        subject: label of the codec that it is about.
        points: sample rate in Hz to the subject's bit/s there.
    """

    name: str
    text: str
    subject: str
    points: Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class EqualityClaim(Claim):
    """A claim of equality, with the margins within which two systems count as equal.

    Attributes:
        criterion: the p of a test for a difference above which the paper says "comparable".
        margins: by metric column, in its unit.
        preferences: a figure of preferences and the margin of the net preference, 0 to 1.
        scores: a figure of a listening test's scores and the margin in its unit.
        table: a table whose printed values are compared too.
        printed: by other codec, the p of a test whose judgements are not known.
    """

    others: tuple[str, ...]
    criterion: float
    margins: Mapping[str, float]
    preferences: tuple[str, float] | None = None
    scores: tuple[str, float] | None = None
    table: str | None = None
    printed: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ShareClaim(Claim):
    """Costs of the subject over those of the other: by column the share and how far it may be."""

    other: str
    table: str
    shares: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class SavingClaim(Claim):
    """The share of bits saved and how far it may be; ``others`` has bit/s as printed."""

    others: Mapping[str, float]
    saving: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class OrderClaim(Claim):
    """Above the other in all scores of a table, and in those of a figure where one is named."""

    other: str
    table: str
    figure: str | None = None


def read_claim(name: str, record: Mapping[str, Any]) -> Claim:
    """One claim of a specification.

    Raises:
        ValueError: a kind that there is not.
    """
    common = {
        "name": name,
        "text": record["text"],
        "subject": record["subject"],
        "points": {int(rate): float(bps) for rate, bps in record.get("points", {}).items()},
    }
    kinds: dict[str, Callable[[dict[str, Any], Mapping[str, Any]], Claim]] = {
        "equality": _equality,
        "share": _share,
        "saving": _saving,
        "order": _order,
    }
    kind = record.get("kind", "equality")
    if kind not in kinds:
        raise ValueError(f"claim {name}: expected a kind of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind](common, record)


def _equality(common: dict[str, Any], record: Mapping[str, Any]) -> EqualityClaim:
    return EqualityClaim(
        **common,
        others=tuple(record["others"]),
        criterion=float(record.get("criterion", 0.05)),
        margins={column: float(margin) for column, margin in record["margins"].items()},
        preferences=_with_margin(record.get("preferences")),
        scores=_with_margin(record.get("scores")),
        table=record.get("table"),
        printed=record.get("printed", {}),
    )


def _with_margin(record: Mapping[str, Any] | None) -> tuple[str, float] | None:
    return None if record is None else (str(record["figure"]), float(record["margin"]))


def _share(common: dict[str, Any], record: Mapping[str, Any]) -> ShareClaim:
    shares = {
        column: (float(share), float(off)) for column, (share, off) in record["shares"].items()
    }
    return ShareClaim(**common, other=record["other"], table=record["table"], shares=shares)


def _saving(common: dict[str, Any], record: Mapping[str, Any]) -> SavingClaim:
    share, off = record["saving"]
    return SavingClaim(
        **common,
        others={other: float(bps) for other, bps in record["others"].items()},
        saving=(float(share), float(off)),
    )


def _order(common: dict[str, Any], record: Mapping[str, Any]) -> OrderClaim:
    return OrderClaim(
        **common, other=record["other"], table=record["table"], figure=record.get("figure")
    )
