# Whether tests reject on the real outcome as often as on outcomes of the working model.
# The real outcome is a part of what the table is identified by alone.
origin(
    "placebo",
    lambda: [
        study.recipe.digest,
        study.plan.labels,
        study.given.origin,
        study.placebo_settings,
    ],
)


rule placebo:
    input:
        judged("placebo"),
    output:
        placebo=f"{RESULTS}/placebo.parquet",
        placebo_csv=table(f"{RESULTS}/placebo.csv"),
    log:
        f"{RESULTS}/logs/placebo.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        settings=lambda _: study.placebo_settings,
        made_from=made_from("placebo"),
    script:
        "../../scripts/placebo.py"
