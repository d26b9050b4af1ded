# `update`: an output that is there already is read, so that a new strategy fits itself alone.
rule fit:
    input:
        datasets=f"{RESULTS}/datasets/{SHARD}.parquet",
        code=code("stages/fit"),
    output:
        estimates=update(f"{RESULTS}/estimates/{SHARD}.parquet"),
        fits=update(f"{RESULTS}/fits/{SHARD}.parquet"),
    log:
        f"{RESULTS}/logs/fit/{SHARD}.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        strategies=study.entries,
        digests=study.digests,
        sims=sims,
    script:
        "../../scripts/fit.py"
