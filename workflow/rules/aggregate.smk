rule aggregate:
    input:
        estimates=study.shards("estimates"),
        fits=study.shards("fits"),
        scores=study.shards("scores"),
        truth=study.shards("truth"),
        code=code("steps/aggregate"),
    output:
        **csv_files(),
        estimates=f"{RESULTS}/estimates.parquet",
        fits=f"{RESULTS}/fits.parquet",
        scores=f"{RESULTS}/scores.parquet",
    log:
        f"{RESULTS}/logs/aggregate.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        job=study.whole_job,
    script:
        "../../scripts/aggregate.py"


rule summary:
    input:
        scores=rules.aggregate.output.scores,
        code=code("steps/summary"),
    output:
        summary=f"{RESULTS}/summary.csv",
    log:
        f"{RESULTS}/logs/summary.log",
    conda:
        "../../envs/environment.yaml"
    params:
        job={
            "factors": study.factors,
            "strategies": [strategy.label for strategy in study.strategies],
        },
    script:
        "../../scripts/summary.py"
