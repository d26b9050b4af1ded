# The strategies on the table itself: what is looked at last.
origin(
    "own_estimates",
    lambda: [
        study.recipe.digest,
        study.plan.labels,
        study.given.made_from,
        study.config["data"],
    ],
)


rule own_estimates:
    input:
        judged("own_estimates"),
    output:
        estimates=f"{RESULTS}/own_estimates.parquet",
        estimates_csv=table(f"{RESULTS}/own_estimates.csv"),
        design=f"{RESULTS}/own_design.parquet",
        design_csv=table(f"{RESULTS}/own_design.csv"),
    log:
        f"{RESULTS}/logs/own_estimates.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        data=lambda _: study.config["data"],
        made_from=made_from("own_estimates"),
    script:
        "../../scripts/own_estimates.py"
