# Choosing a strategy by the data that it then tests: a strategy of its own.
origin("calibrated_choice", study.verdict_settings, "verdicts")


rule calibrated_choice:
    input:
        judged("calibrated_choice"),
        estimates=rules.aggregate.output.estimates,
        fits=rules.aggregate.output.fits,
        truth=rules.aggregate.output.truth,
        verdicts=rules.verdicts.output.verdicts,
    output:
        calibrated_choice=f"{RESULTS}/calibrated_choice.parquet",
        calibrated_choice_csv=table(f"{RESULTS}/calibrated_choice.csv"),
    log:
        f"{RESULTS}/logs/calibrated_choice.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        settings=lambda _: study.verdict_settings,
        made_from=made_from("calibrated_choice"),
    script:
        "../../scripts/calibrated_choice.py"
