"""Shards whose datasets differ in the response alone: X is factored once, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clustrategy.core.shard import Floats, Ints, Shard


def on_one_design(
    y: Floats, design: Shard, seeds: Sequence[np.random.SeedSequence] | None = None
) -> Shard:
    """Give many responses the predictors and clusters of one dataset.

    Parameters
    ----------
    y : (S, R) array
        A response of each dataset, rows as in the design.
    design : Shard
        One dataset of R rows; its y is not used.
    seeds : Sequence of SeedSequence, optional
        One of each dataset, as of `Shard`.

    Returns
    -------
    Shard
        S datasets. Its triangles are those of a shard with X repeated, up to rounding; those of a
        dataset are the same to the last bit whatever stands beside it. X is repeated, and cannot be
        written to, when it is asked for.

    Raises
    ------
    ValueError
        If the design is not one dataset, or its rows are not those of y.

    Examples
    --------
    >>> X = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    >>> design = Shard(np.zeros(3), X, np.array([[2, 1]]), ("(Intercept)", "x"))
    >>> shard = on_one_design(np.array([[1.0, 2.0, 3.0], [5.0, 4.0, 6.0]]), design)
    >>> shard.sims, shard.dataset(1).y.tolist(), shard.X[:, 1].tolist()
    (2, [5.0, 4.0, 6.0], [0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    """
    if design.sims != 1 or y.ndim != 2 or y.shape[1] != len(design.X):
        raise ValueError(
            f"expected a design of one dataset and responses of its {len(design.X)} rows, found "
            f"{design.sims} and an array of shape {y.shape}"
        )
    return _OnOneDesign.of(np.ascontiguousarray(y, dtype=np.float64), _Factored(design), seeds)


@dataclass(frozen=True)
class _Factored:
    """A dataset whose clusters' X are factored once."""

    design: Shard

    @cached_property
    def factors(self) -> list[tuple[Ints, Ints, Floats, Floats]]:
        """For clusters of each size their numbers, (c,), their rows, (c, n_g), and Q_g and R_g."""
        sizes = self.design.n[0]
        starts = np.cumsum(sizes) - sizes
        found = []
        for size in np.unique(sizes).tolist():
            which = np.flatnonzero(sizes == size)
            rows = starts[which, None] + np.arange(size)
            found.append((which, rows, *np.linalg.qr(self.design.X[rows])))
        return found

    def triangles(self, y: Floats) -> Floats:
        """Return R_g, Q_g'y_g and the length of what y_g has outside the span of Q_g.

        Parameters
        ----------
        y : (S, R) array
            Responses, contiguous.

        Returns
        -------
        (S, G, p + 1, p + 1) array
            As of `Shard.triangles`.
        """
        p = self.design.p
        out = np.zeros((len(y), self.design.clusters, p + 1, p + 1))
        for which, rows, Q, R in self.factors:
            k = R.shape[1]
            # Products of stacks, not one large product, whose bits depend on how many y there are.
            responses = np.take(y, rows, axis=1)[..., None]
            along = np.ascontiguousarray(np.swapaxes(Q, 1, 2)) @ responses
            out[:, which, :k, :p] = R
            out[:, which, :k, p:] = along
            if rows.shape[1] > p:
                beside = (responses - Q @ along)[..., 0]
                out[:, which, p:, p:] = np.sqrt((beside * beside).sum(axis=-1))[..., None, None]
        return out


class _OnOneDesign(Shard):
    """Datasets that share X; what `dataclasses.replace` makes of them has an X of its own."""

    _factored: _Factored | None = None

    @classmethod
    def of(
        cls, y: Floats, factored: _Factored, seeds: Sequence[np.random.SeedSequence] | None
    ) -> Shard:
        """Build a shard without X from responses (S, R)."""
        shard = cls.__new__(cls)
        design = factored.design
        vars(shard).update(
            y=y.reshape(-1),
            n=np.tile(design.n, (len(y), 1)),
            terms=design.terms,
            seeds=seeds,
            _factored=factored,
        )
        return shard

    @cached_property
    def X(self) -> Floats:  # type: ignore[override]
        assert self._factored is not None
        X = np.tile(self._factored.design.X, (self.sims, 1))
        X.flags.writeable = False
        return X

    def dataset(self, sim: int) -> Shard:
        """Return one dataset as a shard of its own."""
        if self._factored is None:
            return super().dataset(sim)
        seeds = None if self.seeds is None else self.seeds[sim : sim + 1]
        return self.of(self.y[self.rows(sim)][None], self._factored, seeds)

    @cached_property
    def _largest(self) -> Floats:
        if self._factored is None:
            return super()._largest
        largest = np.tile(self._factored.design._largest, (self.sims, 1))
        largest[:, -1] = np.abs(self.y.reshape(self.sims, -1)).max(axis=1)
        return largest

    @cached_property
    def triangles(self) -> Floats:
        """As of `Shard`."""
        if self._factored is None:
            return super().triangles
        return self._factored.triangles(self.y.reshape(self.sims, -1))
