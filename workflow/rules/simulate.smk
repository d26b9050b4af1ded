rule simulate:
    input:
        code=code("stages/simulate"),
    output:
        datasets=kept(f"{RESULTS}/datasets/{SHARD}.parquet"),
        truth=f"{RESULTS}/truth/{SHARD}.parquet",
    log:
        f"{RESULTS}/logs/simulate/{SHARD}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        job=cell_job,
        sims=sims,
    script:
        "../../scripts/simulate.py"
