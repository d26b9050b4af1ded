# The last job of a run, so that its end is the run's.
localrules:
    provenance,


rule provenance:
    input:
        rules.aggregate.output,
        rules.summary.output,
        rules.performance.output,
        rules.worked_example.output,
        figure_files(),
        audit_files(),
    output:
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/provenance.log",
    conda:
        "../../envs/environment.yaml"
    params:
        config=study.config,
        audit={"references": study.reference_versions, "left_out": study.audit_plan[1]},
    script:
        "../../scripts/provenance.py"
