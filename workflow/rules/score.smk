rule score:
    input:
        estimates=shards("estimates"),
        fits=shards("fits"),
        truth=shards("truth"),
        code=code("steps/score"),
    output:
        scores=shards("scores"),
    log:
        job_log("score"),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../../scripts/score.py"
