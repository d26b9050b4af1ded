# How the strategies performed, and how they differ on the same datasets.
rule performance:
    input:
        estimates=rules.aggregate.output.estimates,
        fits=rules.aggregate.output.fits,
        truth=study.shards("truth"),
        code=code("steps/performance"),
    output:
        performance=f"{RESULTS}/performance.parquet",
        performance_csv=f"{RESULTS}/performance.csv",
        differences=f"{RESULTS}/differences.parquet",
        differences_csv=f"{RESULTS}/differences.csv",
    log:
        f"{RESULTS}/logs/performance.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        job=lambda wildcards: study.performance_job,
    script:
        "../../scripts/performance.py"
