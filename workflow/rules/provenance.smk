# The last job of a run, so that its end is the run's.
localrules:
    provenance,


rule provenance:
    input:
        rules.aggregate.output,
        rules.summary.output,
        rules.worked_example.output,
        figure_files(),
    output:
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/provenance.log",
    conda:
        "../../envs/environment.yaml"
    params:
        config=study.config,
    script:
        "../../scripts/provenance.py"
