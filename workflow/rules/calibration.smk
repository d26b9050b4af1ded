# A study on the design of one's own table: what is supposed of it.
origin("scenarios", lambda: [study.given.origin, study.given.digests, study.cells])


rule scenarios:
    input:
        judged("scenarios"),
    output:
        scenarios=table(f"{RESULTS}/scenarios.csv"),
    log:
        f"{RESULTS}/logs/scenarios.log",
    conda:
        ENVIRONMENT
    params:
        folder=results,
        made_from=made_from("scenarios"),
    script:
        "../../scripts/scenarios.py"
