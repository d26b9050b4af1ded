# `update`: an output that is there already is read, so that a new strategy fits itself alone.
rule fit:
    input:
        datasets=shards("datasets"),
        code=code("steps/fit"),
    output:
        estimates=update(shards("estimates")),
        fits=update(shards("fits")),
    log:
        job_log("fit"),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=240,
    params:
        strategies=study.entries,
        digests=study.digests,
    script:
        "../../scripts/fit.py"
