# The first sims of every cell again, by reference engines.
rule audit_shards:
    input:
        estimates=shards("estimates"),
        fits=shards("fits"),
        code=code("steps/audit_shards"),
    output:
        audits=shards("audit"),
    log:
        job_log("audit"),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=480,
    params:
        job=study.audit_job,
    script:
        "../../scripts/audit_shards.py"


rule audit_table:
    input:
        shards=study.shards("audit", study.audited_sims),
        code=code("steps/audit_table"),
    output:
        audit_table=f"{RESULTS}/audit.parquet",
        by_cell=f"{RESULTS}/audit.csv",
    log:
        f"{RESULTS}/logs/audit_table.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        shards=study.shards("audit", study.audited_sims),
    script:
        "../../scripts/audit_table.py"


# The verdict: it fails where the engine is at fault, after the tables and figures are there.
rule audit_verdict:
    input:
        table=rules.audit_table.output.audit_table,
        figure=expand(f"{RESULTS}/figures/audit.{{form}}", form=["png", "pdf"] if AUDITED else []),
        code=code("steps/audit_verdict"),
    output:
        text=f"{RESULTS}/audit.txt",
    log:
        f"{RESULTS}/logs/audit_verdict.log",
    conda:
        "../../envs/environment.yaml"
    params:
        job={
            "missing": study.audit_plan[1],
            "without": study.unaudited,
            "versions": study.reference_versions,
            "remake": remake_command(),
        },
    script:
        "../../scripts/audit_verdict.py"


rule remake:
    input:
        code=code("steps/remake"),
    output:
        multiext(f"{RESULTS}/remade/{SIM}/", *remade.FILES),
    log:
        f"{RESULTS}/logs/remake/{SIM}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        job={"study": study.name, "seed": study.seed, "dgp": study.further_dgp},
        strategies=study.entries,
        digests=study.digests,
    script:
        "../../scripts/remake.py"
