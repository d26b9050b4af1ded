# The whole tables. An origin says what they are made from, so that they are judged by content.
CSV = ("sim_results", "sim_estimates") if study.config["csv"] else ()

# What is made of the tables does not depend on whether they are also there as CSV.
origin(
    "tables",
    lambda: study.plan.digest,
    code=partial(sources, PACKAGE / "steps/aggregate.py", but=STRATEGIES),
)
origin("aggregate", CSV, "tables")
origin("summary", study.config["performance"]["usable"], "tables")
origin("performance", study.performance_settings, "tables")
# The worst cells are drawn and fitted again: the digest of the tables tells by what code.
origin(
    "verdicts",
    study.verdict_settings,
    "tables",
    code=partial(sources, PACKAGE / "steps/verdicts.py", but=STRATEGIES),
)


rule aggregate:
    input:
        judged("aggregate"),
        block_receipts,
    output:
        **{name: f"{RESULTS}/{name}.csv" for name in CSV},
        truth=f"{RESULTS}/truth.parquet",
        estimates=f"{RESULTS}/estimates.parquet",
        fits=f"{RESULTS}/fits.parquet",
        scores=f"{RESULTS}/scores.parquet",
    log:
        f"{RESULTS}/logs/aggregate.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        made_from=made_from("aggregate"),
    script:
        "../../scripts/aggregate.py"


rule summary:
    input:
        judged("summary"),
        scores=rules.aggregate.output.scores,
        fits=rules.aggregate.output.fits,
    output:
        summary=table(f"{RESULTS}/summary.csv"),
    log:
        f"{RESULTS}/logs/summary.log",
    conda:
        ENVIRONMENT
    params:
        factors=study.factors,
        strategies=lambda _: study.plan.labels,
        usable=lambda _: study.config["performance"]["usable"],
        made_from=made_from("summary"),
    script:
        "../../scripts/summary.py"


# How the strategies performed, and how they differ on the same datasets.
rule performance:
    input:
        judged("performance"),
        estimates=rules.aggregate.output.estimates,
        fits=rules.aggregate.output.fits,
        truth=rules.aggregate.output.truth,
    output:
        performance=f"{RESULTS}/performance.parquet",
        performance_csv=table(f"{RESULTS}/performance.csv"),
        differences=f"{RESULTS}/differences.parquet",
        differences_csv=table(f"{RESULTS}/differences.csv"),
    log:
        f"{RESULTS}/logs/performance.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        settings=lambda _: study.performance_settings,
        made_from=made_from("performance"),
    script:
        "../../scripts/performance.py"


# What to think of every strategy: its false positives, and what else it promises.
rule verdicts:
    input:
        judged("verdicts"),
        estimates=rules.aggregate.output.estimates,
        fits=rules.aggregate.output.fits,
        truth=rules.aggregate.output.truth,
    output:
        verdicts=f"{RESULTS}/verdicts.parquet",
        verdicts_csv=table(f"{RESULTS}/verdicts.csv"),
    log:
        f"{RESULTS}/logs/verdicts.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        settings=lambda _: study.verdict_settings,
        made_from=made_from("verdicts"),
    script:
        "../../scripts/verdicts.py"
