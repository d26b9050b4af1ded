# Single datasets to look at: the worked example, and any dataset of the study again.
origin("remake", lambda: [study.recipe.digest, study.plan.labels])


rule remake:
    input:
        judged("remake"),
    output:
        multiext(f"{RESULTS}/remade/{SIM}/", *REMADE),
    log:
        f"{RESULTS}/logs/remake/{SIM}.log",
    conda:
        ENVIRONMENT
    params:
        folder=results,
        made_from=made_from("remake"),
    script:
        "../../scripts/remake.py"


if not GIVEN:
    origin(
        "worked_example",
        lambda: [study.recipe.digest, study.config["worked_example"], study.plan.labels],
    )

    rule worked_example:
        input:
            judged("worked_example"),
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
            ENVIRONMENT
        params:
            seed=study.seed,
            dgp=study.dgp,
            cell=study.config["worked_example"],
            strategies=lambda _: [strategy.spec for strategy in study.strategies],
            strategies_from=lambda _: study.config["strategies_from"],
            made_from=made_from("worked_example"),
        script:
            "../../scripts/worked_example.py"
