"""The random effects that a formula or a call asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clustrategy.core.errors import DataError


@dataclass(frozen=True)
class RandomEffects:
    """Which coefficients differ between clusters.

    Attributes
    ----------
    coefficients : tuple of str
        Names of columns of X.
    correlated : bool
        Whether they may correlate.
    """

    coefficients: tuple[str, ...]
    correlated: bool

    @classmethod
    def of(
        cls, blocks: Sequence[Sequence[str]], correlated: bool, texts: Sequence[str]
    ) -> RandomEffects:
        """Join the blocks of several bars.

        Parameters
        ----------
        blocks : sequence of sequence of str
            The coefficients of each bar.
        correlated : bool
            Whether the coefficients of a bar may correlate.
        texts : sequence of str
            What stands before each bar, for messages.

        Raises
        ------
        DataError
            If there are none, a coefficient is in two bars, or bars of several coefficients are to
            be independent of one another.
        """
        coefficients = [name for block in blocks for name in block]
        whole = " and ".join(repr(text) for text in texts)
        if not coefficients:
            raise DataError(f"the random effects {whole} have no coefficient: expected '1 + x'")
        for name in coefficients:
            if coefficients.count(name) > 1:
                raise DataError(f"the random effects {whole} have {name!r} twice")
        if len(blocks) > 1 and correlated:
            if any(len(block) > 1 for block in blocks):
                raise DataError(
                    f"the random effects {whole} correlate in part: write one bar, whose "
                    "coefficients all correlate, or '||', where none do"
                )
            correlated = False
        return cls(tuple(coefficients), correlated or len(coefficients) == 1)
