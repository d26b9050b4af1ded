# The last job of a run but for the page, which shows it: so its end is the run's.
origin(
    "provenance",
    [study.config, study.reference_versions, study.left_out],
    "aggregate",
    "summary",
    "performance",
    "verdicts",
    *(OF_A_TABLE if GIVEN else ["worked_example"]),
    *(f"figure/{name}" for name in figure_names()),
    *(["audit_verdict"] if AUDITED else []),
)


rule provenance:
    input:
        judged("provenance"),
        rules.aggregate.output,
        rules.summary.output,
        rules.performance.output,
        rules.verdicts.output,
        [getattr(rules, name).output for name in OF_A_TABLE]
        if GIVEN
        else rules.worked_example.output,
        figure_files(),
        audit_files(),
    output:
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/provenance.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        config=lambda _: study.config,
        audit={"references": study.reference_versions, "left_out": study.left_out},
        made_from=made_from("provenance"),
    script:
        "../../scripts/provenance.py"
