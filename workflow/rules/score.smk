rule score:
    input:
        estimates=f"{RESULTS}/estimates/{SHARD}.parquet",
        fits=f"{RESULTS}/fits/{SHARD}.parquet",
        truth=f"{RESULTS}/truth/{SHARD}.parquet",
        code=code("stages/score"),
    output:
        scores=f"{RESULTS}/scores/{SHARD}.parquet",
    log:
        f"{RESULTS}/logs/score/{SHARD}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../../scripts/score.py"
