import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leaf.batches import PairGraph, batch_count, draw_batches, mean_weight, take_turns
from leaf.labels import NO_PAIRS, Pairs


def graph_of(n: int, edges: set[tuple[int, int]]) -> PairGraph:
    if not edges:
        return PairGraph(n, NO_PAIRS)
    a, b = np.array(sorted(edges), dtype=np.int64).T
    half, ones = np.full(len(a), 0.5, np.float32), np.ones(len(a), np.float32)
    return PairGraph(n, Pairs(a, b, half, ones))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[PairGraph, set[tuple[int, int]]]:
    n = draw(st.integers(1, 60))
    ends = st.integers(0, n - 1)
    edges = draw(st.sets(st.tuples(ends, ends).filter(lambda e: e[0] != e[1]), max_size=120))
    return graph_of(n, edges), edges


@settings(deadline=None)
@given(graphs(), st.integers(1, 40), st.integers(0, 1000))
def test_every_image_appears_once_in_batches_of_even_size(
    made: tuple[PairGraph, set[tuple[int, int]]], batch: int, seed: int
) -> None:
    graph, edges = made
    batches = draw_batches(graph, batch, (seed, 1))
    assert sorted(np.concatenate(batches).tolist()) == list(range(graph.n))
    sizes = [len(b) for b in batches]
    assert len(sizes) == batch_count(graph.n, batch)
    assert max(sizes) <= batch and max(sizes) - min(sizes) <= 1
    for one in batches:
        a, b, found = graph.inside(one)
        inside = {(int(one[i]), int(one[j])) for i, j in zip(a, b, strict=True)}
        members = set(one.tolist())
        assert inside == {e for e in edges if e[0] in members and e[1] in members}
        assert len(found) == len(inside)


@settings(deadline=None, max_examples=20)
@given(graphs(), st.integers(1, 40), st.integers(0, 1000))
def test_batches_follow_from_the_key(
    made: tuple[PairGraph, set[tuple[int, int]]], batch: int, seed: int
) -> None:
    first, second = (draw_batches(made[0], batch, (seed, 3)) for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(first, second, strict=True))


def test_walks_put_many_more_pairs_into_batches_than_chance() -> None:
    rng = np.random.default_rng(0)
    n, size = 2000, 32
    edges = {(i, int(j)) for i in range(n) for j in rng.choice(n, 4, replace=False) if i != j}
    graph = graph_of(n, edges)
    walked = sum(len(graph.inside(b)[2]) for b in draw_batches(graph, size, (0, 1)))
    shuffled = sum(len(graph.inside(b)[2]) for b in np.array_split(rng.permutation(n), batch_count(n, size)))
    # A tree over each batch is what a walk gives at least while images are left: about one pair an image.
    assert walked > 0.8 * n
    assert walked > 8 * shuffled
    other = draw_batches(graph, size, (0, 2))
    assert not np.array_equal(other[0], draw_batches(graph, size, (0, 1))[0])


@settings(deadline=None)
@given(graphs(), st.integers(1, 40), st.integers(0, 1000))
def test_the_mean_weight_is_that_of_the_pairs_inside(
    made: tuple[PairGraph, set[tuple[int, int]]], batch: int, seed: int
) -> None:
    graph, _ = made
    rng = np.random.default_rng(seed)
    weight = rng.random(len(graph.pairs)).astype(np.float32)
    pairs = Pairs(graph.pairs.a, graph.pairs.b, graph.pairs.p, weight)
    graph = PairGraph(graph.n, pairs)
    batches = draw_batches(graph, batch, (seed, 1))
    inside = [float(weight[graph.inside(one)[2]].sum()) for one in batches]
    assert np.isclose(mean_weight(graph, batches), np.mean(inside), atol=1e-6)


@given(st.integers(0, 30), st.integers(1, 8), st.integers(1, 20), st.integers(0, 5), st.integers(0, 99))
def test_images_take_turns(n: int, batches: int, size: int, epochs: int, seed: int) -> None:
    turns = [one for e in range(epochs) for one in take_turns(n, batches, size, e * batches, seed)]
    assert len(turns) == epochs * batches
    assert all(len(one) == min(n, size) for one in turns)
    if n == 0 or epochs == 0:
        return
    times = np.bincount(np.concatenate(turns), minlength=n)
    # Nobody is asked a second time before all were.
    assert times.max() - times.min() <= 1
