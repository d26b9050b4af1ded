rule worked_example:
    input:
        code=[
            *code("analysis", "dgp", "markdown", "scores", "tables", "stages/worked_example"),
            *strategy_code(),
        ],
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
    script:
        "../../scripts/worked_example.py"
