"""The design: which listener gets which trials, in which order, with what in which position.

Every block is one listener's order; sessions are given the block with the fewest finished ones.
Over the blocks of an item group every condition stands equally often in every position and equally
often after every other one (Williams squares), and every pair equally often either way round. In a
transcription test nobody hears a sentence twice: every block takes each utterance in one of its
forms, and over the blocks of an item group in each of them equally often.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from synbench_listening.design.known_answers import Gold, Trap, check_pages
from synbench_listening.design.latin_square import balanced_orders
from synbench_listening.design.stimuli import REFERENCE
from synbench_listening.design.study import PageName, StudyDesign
from synbench_listening.design.study_folder import Block, BlockPage

OPEN_REFERENCE = "open reference"
# Up to here the orders of items are balanced as well; beyond, nearly so.
MOST_ROWS = 60

__all__ = ["OPEN_REFERENCE", "Stock", "make_blocks"]

Treatment = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What there is to arrange.

    ``ids`` gives a stimulus id by item and condition, with :data:`OPEN_REFERENCE` for the open
    reference. ``conditions`` are what is rated, the hidden reference first. ``utterances`` says
    which utterance an item is a form of, where one is heard under several item conditions.
    """

    ids: Mapping[tuple[str, str], str]
    conditions: tuple[str, ...]
    systems: tuple[str, ...]
    items: tuple[str, ...]
    training: tuple[str, ...]
    headphones: tuple[str, ...]
    volume: str
    attention: tuple[str, ...]
    bandwidth: tuple[str, ...] = ()
    ears: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    digits: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()
    traps: tuple[Trap, ...] = ()
    utterances: Mapping[str, str] = field(default_factory=dict)

    def by_utterance(self) -> dict[str, list[str]]:
        """The items of each utterance; an item is an utterance of its own where nothing is said."""
        items_of: dict[str, list[str]] = {}
        for item in self.items:
            items_of.setdefault(self.utterances.get(item, item), []).append(item)
        return items_of


def make_blocks(design: StudyDesign, stock: Stock) -> tuple[Block, ...]:
    """All blocks; consecutive ones take turns between item groups, so that few suffice to begin."""
    forms = stock.by_utterance()
    per_listener = design.items_per_listener or len(forms)
    generator = random.Random(f"blocks {design.seed}")
    shuffled = list(forms)
    generator.shuffle(shuffled)
    groups = [
        [item for utterance in shuffled[start : start + per_listener] for item in forms[utterance]]
        for start in range(0, len(shuffled), per_listener)
    ]
    treatments = _treatments(design, stock)
    rows = len(balanced_orders(len(stock.conditions if design.test == "mushra" else treatments)))
    if design.test == "transcription":
        rows = len(treatments) * max(map(len, forms.values()))
    with_item_orders = math.lcm(rows, len(balanced_orders(len(groups[0]))))
    rows = with_item_orders if with_item_orders <= MOST_ROWS else rows
    sides = {"abx": 4, "ab": 2, "ccr": 2, "bs1116": 2}.get(design.test, 1)
    blocks = []
    for number, (side, row, group) in enumerate(
        itertools.product(range(sides), range(rows), groups), start=1
    ):
        trials = _trials(design, stock, treatments, group, row=row, side=side)
        name = f"{number:03d}"
        extra = random.Random(f"block {name} {design.seed}")
        blocks.append(Block(name=name, pages=_all_pages(design, stock, trials, treatments, extra)))
    return tuple(blocks)


def _treatments(design: StudyDesign, stock: Stock) -> list[Treatment]:
    """What is asked about one item, one page each; a MUSHRA page asks about all at once."""
    if design.test == "mushra":
        return [stock.conditions]
    if design.test in ("acr", "dcr", "effort", "mushra1s", "transcription"):
        return [(condition,) for condition in stock.conditions]
    if design.test == "bs1116":
        return [(REFERENCE, system) for system in stock.systems]
    if design.test == "ccr" and not design.pairs_are_between_systems:
        return [(REFERENCE, condition) for condition in stock.conditions if condition != REFERENCE]
    if design.pairs_are_between_systems:
        return list(itertools.combinations(stock.systems, 2))
    return [(REFERENCE, system) for system in stock.systems]


def _trials(
    design: StudyDesign,
    stock: Stock,
    treatments: Sequence[Treatment],
    group: Sequence[str],
    *,
    row: int,
    side: int,
) -> list[BlockPage]:
    """Rounds over the items, so that no two neighbours are of one item where it can be helped."""
    if design.test == "transcription":
        return _sentences(design, stock, group, row=row)
    item_orders = balanced_orders(len(group))
    pages = []
    if design.test == "mushra":
        orders = balanced_orders(len(stock.conditions))
        for item_index in item_orders[row % len(item_orders)]:
            order = orders[(row + item_index) % len(orders)]
            pages.append(_mushra(stock, group[item_index], order))
        for repeat in range(design.replicates):
            item = (row + repeat) % len(group)
            order = orders[(row + item + len(orders) // 2) % len(orders)]
            page = _mushra(stock, group[item], order)
            pages.append(page.model_copy(update={"replicate": 1}))
        return pages
    orders = balanced_orders(len(treatments))

    def about(item_index: int, which: int) -> BlockPage:
        return _page(design, stock, group[item_index], treatments[which], side + item_index + which)

    for turn in range(len(treatments)):
        for item_index in item_orders[(row + turn) % len(item_orders)]:
            pages.append(about(item_index, orders[(row + item_index) % len(orders)][turn]))
    for repeat in range(design.replicates):
        item_index = (row + repeat) % len(group)
        for which in range(len(treatments)):
            pages.append(about(item_index, which).model_copy(update={"replicate": 1}))
    return pages


def _sentences(
    design: StudyDesign, stock: Stock, group: Sequence[str], *, row: int
) -> list[BlockPage]:
    """Every utterance once; which form of it is heard moves on by one from row to row."""
    utterances: dict[str, list[str]] = {}
    for item in group:
        utterances.setdefault(stock.utterances.get(item, item), []).append(item)
    sentences = []
    for number, items in enumerate(utterances.values()):
        forms = [(item, condition) for condition in stock.conditions for item in items]
        item, condition = forms[(number + row) % len(forms)]
        sentences.append(_page(design, stock, item, (condition,), 0))
    orders = balanced_orders(len(sentences))
    return [sentences[number] for number in orders[row % len(orders)]]


def _mushra(stock: Stock, item: str, order: Sequence[int]) -> BlockPage:
    return BlockPage(
        kind="mushra",
        item=item,
        reference=stock.ids[item, OPEN_REFERENCE],
        stimuli=tuple(stock.ids[item, stock.conditions[index]] for index in order),
    )


def _page(
    design: StudyDesign, stock: Stock, item: str, treatment: Treatment, side: int
) -> BlockPage:
    """One page about a condition or a pair; ``side`` decides what is A and what X is."""
    ids = [stock.ids[item, condition] for condition in treatment]
    if side % 2:
        ids.reverse()
    x = None
    if design.test == "abx":
        x = side // 2 % 2
        ids.append(ids[x])
    shown = design.test in ("bs1116", "dcr", "mushra1s") or (
        design.test == "ab" and design.show_reference
    )
    return BlockPage(
        kind=design.test,
        item=item,
        reference=stock.ids[item, OPEN_REFERENCE] if shown else None,
        stimuli=tuple(ids),
        x=x,
    )


def _all_pages(
    design: StudyDesign,
    stock: Stock,
    trials: list[BlockPage],
    treatments: Sequence[Treatment],
    generator: random.Random,
) -> tuple[BlockPage, ...]:
    pages: list[BlockPage] = []
    for name in design.pages:
        pages += _section(name, design, stock, trials, treatments, generator)
    return tuple(pages)


def _section(
    name: PageName,
    design: StudyDesign,
    stock: Stock,
    trials: list[BlockPage],
    treatments: Sequence[Treatment],
    generator: random.Random,
) -> list[BlockPage]:
    if name == "trials":
        return _with_breaks(design, stock, trials, generator)
    if name == "training":
        return [BlockPage(kind="instructions"), *_training(design, stock, treatments, generator)]
    if name == "headphones":
        order = list(stock.headphones)
        generator.shuffle(order)
        return [BlockPage(kind="headphones", stimuli=tuple(order))]
    if name == "environment":
        return [BlockPage(kind="environment", stimuli=stock.environment)]
    if name == "digits":
        return [BlockPage(kind="digits", stimuli=stock.digits)]
    if name == "volume":
        return [BlockPage(kind="volume", stimuli=(stock.volume,))]
    if name == "questionnaire" and not design.questionnaire:
        return []
    return [BlockPage(kind=name)]


def _training(
    design: StudyDesign,
    stock: Stock,
    treatments: Sequence[Treatment],
    generator: random.Random,
) -> list[BlockPage]:
    pages = []
    for item in stock.training:
        if design.test == "mushra":
            order = list(range(len(stock.conditions)))
            generator.shuffle(order)
            pages.append(_mushra(stock, item, order))
        elif design.test == "transcription":
            pages.append(_page(design, stock, item, generator.choice(treatments), 0))
        else:
            pages += [
                _page(design, stock, item, treatment, generator.randrange(4))
                for treatment in treatments
            ]
    return [page.model_copy(update={"training": True}) for page in pages]


def _with_breaks(
    design: StudyDesign, stock: Stock, trials: list[BlockPage], generator: random.Random
) -> list[BlockPage]:
    checks = [BlockPage(kind="attention", stimuli=(name,)) for name in stock.attention]
    checks += [
        BlockPage(kind="attention", stimuli=(name,), check="bandwidth") for name in stock.bandwidth
    ]
    checks += [BlockPage(kind="attention", stimuli=(name,), check="ears") for name in stock.ears]
    checks += check_pages(design, stock.gold, stock.traps, generator)
    generator.shuffle(checks)
    spots = [(k + 1) * len(trials) // (len(checks) + 1) for k in range(len(checks))]
    pages: list[BlockPage] = []
    for trial_index, trial in enumerate(trials):
        if design.break_after and trial_index and trial_index % design.break_after == 0:
            pages.append(BlockPage(kind="break"))
        pages += [check for spot, check in zip(spots, checks, strict=True) if spot == trial_index]
        pages.append(trial)
    return pages
