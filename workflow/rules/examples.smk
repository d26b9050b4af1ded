rule worked_example:
    input:
        code=code("steps/worked_example"),
    output:
        multiext(
            f"{RESULTS}/worked_example/",
            "dataset.csv",
            "true_coefficients.csv",
            "cluster_coefficients.csv",
            "coefficients.csv",
            "metrics.csv",
            "worked_example.md",
        ),
    log:
        f"{RESULTS}/logs/worked_example.log",
    conda:
        "../../envs/environment.yaml"
    params:
        job=study.worked_example_job,
        strategies=[strategy.spec for strategy in study.strategies],
        digests=study.digests,
    script:
        "../../scripts/worked_example.py"
