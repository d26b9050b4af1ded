rule simulate:
    input:
        code=code("steps/simulate"),
    output:
        datasets=kept(shards("datasets")),
        truth=shards("truth"),
    log:
        job_log("simulate"),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        seed=study.seed,
        dgp=study.further_dgp,
    script:
        "../../scripts/simulate.py"
