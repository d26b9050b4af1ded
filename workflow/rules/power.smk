# Power at all effects from the same sims, and the least effect that is found in 80 % of studies.
origin("power", study.verdict_settings, "tables", "verdicts")


rule power:
    input:
        judged("power"),
        estimates=rules.aggregate.output.estimates,
        fits=rules.aggregate.output.fits,
        truth=rules.aggregate.output.truth,
        verdicts=rules.verdicts.output.verdicts,
    output:
        power=f"{RESULTS}/power.parquet",
        power_csv=table(f"{RESULTS}/power.csv"),
        detectable=f"{RESULTS}/detectable.parquet",
        detectable_csv=table(f"{RESULTS}/detectable.csv"),
    log:
        f"{RESULTS}/logs/power.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        settings=lambda _: study.verdict_settings,
        made_from=made_from("power"),
    script:
        "../../scripts/power.py"
