"""What was published of the methods of a study on a table."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.engines.chosen import Strategy

CALIBRATION = (
    "The simulation on one's own design: MacKinnon (2026), arXiv 2604.02000; as a study: Morris, "
    "White & Crowther (2019), Statistics in Medicine 38, 2074-2102.",
    "Resampled residuals and effects: Carpenter, Goldstein & Rasbash (2003), JRSS C 52, 431-443.",
    "Placebos from residuals: Freedman & Lane (1983), JBES 1, 292-298.",
    "Effective clusters: Carter, Schnepel & Steigerwald (2017), Review of Economics and Statistics "
    "99, 698-709; leverage: MacKinnon, Nielsen & Webb (2023), Stata Journal 23, 942-982.",
    "Bounds of the false-positive rate: Bradley (1978), British Journal of Mathematical and "
    "Statistical Psychology 31, 144-152; comparison with the best: Hsu (1984), Annals of "
    "Statistics 12, 1136-1144.",
)

CR2 = (
    "CR2: Bell & McCaffrey (2002), Survey Methodology 28, 169-181; Pustejovsky & Tipton (2018), "
    "JBES 36, 672-683."
)
KENWARD_ROGER = "Kenward & Roger (1997), Biometrics 53, 983-997."
WILD = "Wild cluster bootstrap: Cameron, Gelbach & Miller (2008), REStat 90, 414-427."
GEE = "Generalised estimating equations: Liang & Zeger (1986), Biometrika 73, 13-22."


def references(strategies: Sequence[Strategy]) -> list[str]:
    """List what was published of a calibration, and of the strategies that it has.

    Parameters
    ----------
    strategies : sequence of Strategy
    """
    options = [strategy.options for strategy in strategies]
    names = {strategy.name for strategy in strategies}
    of_strategies = {
        CR2: any(one.get("variance") == "CR2" for one in options),
        KENWARD_ROGER: any(one.get("df") == "kenward_roger" for one in options),
        WILD: "wild_cluster_bootstrap" in names,
        GEE: "gee" in names,
    }
    return [*CALIBRATION, *(text for text, has in of_strategies.items() if has)]
