"""Tokens: entropies by closed form, the coded rate, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synbench_metrics._tokens import count_book, entropy, statistics


@pytest.mark.parametrize("size", [2, 5, 1024])
def test_every_code_equally_often(size):
    book = count_book([np.arange(size).repeat(3)], size)
    assert book.entropy == pytest.approx(math.log2(size), abs=1e-12)
    assert book.perplexity == pytest.approx(size)
    assert (book.usage, book.used) == (1.0, size)
    assert book.normalised_entropy == pytest.approx(1.0, abs=1e-12)


def test_one_code_always():
    book = count_book([np.full(9, 3)], 8)
    assert (book.entropy, book.perplexity, book.usage) == (0.0, 1.0, 1 / 8)
    assert book.conditional_entropy == 0.0


def test_two_codes_of_nine_to_one():
    assert entropy(np.array([9, 1])) == pytest.approx(0.4689955935892812, abs=1e-12)


def test_an_alternating_stream_has_no_entropy_given_its_past():
    book = count_book([np.arange(1000) % 2], 2)
    assert book.entropy == pytest.approx(1.0)
    assert book.conditional_entropy == pytest.approx(0.0, abs=1e-12)


def test_a_markov_chain_has_its_known_entropy_rate():
    """Stays with 0.9: 0.469 bits given the past, 1 bit without."""
    generator = np.random.default_rng(0)
    flips = generator.random(200_000) < 0.1
    book = count_book([np.cumsum(flips) % 2], 2)
    assert book.conditional_entropy == pytest.approx(0.4690, abs=0.01)
    assert book.entropy == pytest.approx(1.0, abs=0.01)


def test_utterances_do_not_run_into_each_other():
    apart = count_book([np.array([0, 0]), np.array([1, 1])], 2)
    assert apart.conditional_entropy == 0.0


def test_the_coded_rate_takes_its_table_from_the_others():
    """Two utterances that share no code: the table of one is useless for the other."""
    book = count_book([np.zeros(100, int), np.ones(100, int)], 2)
    assert book.entropy == pytest.approx(1.0)
    assert book.coded == pytest.approx(-math.log2(0.5 / 101))
    assert count_book([np.zeros(4, int)], 2).coded is None


def test_on_much_material_the_coded_rate_is_the_entropy():
    generator = np.random.default_rng(1)
    streams = [generator.choice(4, size=5000, p=[0.7, 0.1, 0.1, 0.1]) for _ in range(20)]
    book = count_book(streams, 4)
    assert book.coded == pytest.approx(book.entropy, rel=2e-3)
    assert book.coded > book.entropy


tokens = st.lists(st.integers(0, 6), min_size=1, max_size=40)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(streams=st.lists(tokens, min_size=1, max_size=5))
def test_bounds(streams):
    book = count_book([np.array(each) for each in streams], 7)
    assert 0.0 <= book.entropy <= math.log2(7) + 1e-12
    assert 0.0 < book.usage <= 1.0
    if book.conditional_entropy is not None:
        assert 0.0 <= book.conditional_entropy <= math.log2(7)


def test_books_are_counted_apart():
    books = statistics([np.array([[0, 1], [2, 2]])], (2, 3))
    assert [book.usage for book in books] == [1.0, 1 / 3]


@pytest.mark.parametrize("streams", [[], [np.zeros(0, int)], [np.array([0, 7])], [np.array([-1])]])
def test_no_token_and_a_foreign_token_are_refused(streams):
    with pytest.raises(ValueError, match="expected"):
        count_book(streams, 7)


def test_few_tokens_have_no_order_one_and_a_corrected_order_zero():
    """Independent tokens, equally often, of a book of 256: 8 bits, given the past or not."""
    generator = np.random.default_rng(3)
    few = count_book([generator.integers(0, 256, 400) for _ in range(5)], 256)
    assert few.conditional_entropy < 4  # nearly every context is new
    assert few.corrected_conditional is None
    assert few.entropy < few.corrected_entropy <= 8
    assert few.corrected_entropy == pytest.approx(8, abs=0.02)
    many = count_book([generator.integers(0, 8, 5000) for _ in range(4)], 8)
    assert many.corrected_conditional == pytest.approx(3, abs=0.003)
    assert many.conditional_entropy < many.corrected_conditional
