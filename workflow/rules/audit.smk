# The first sims of every cell again, by reference engines; judged and packed as the blocks are.
origin("audit_table", lambda: AuditedBlocks.of(study.plan).digest)
origin("audit_verdict", audit_circumstances(), "audit_table")


rule audit_shards:
    input:
        ancient(block_receipts),
    output:
        receipt=f"{RESULTS}/audit_packs/{{pack}}.json",
    log:
        f"{RESULTS}/logs/audit_shards/{{pack}}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: minutes(wildcards.pack, attempt, audit=True),
    params:
        folder=results,
    script:
        "../../scripts/audit_shards.py"


rule audit_table:
    input:
        judged("audit_table"),
        audit_receipts,
    output:
        audit_table=f"{RESULTS}/audit.parquet",
        by_cell=table(f"{RESULTS}/audit.csv"),
    log:
        f"{RESULTS}/logs/audit_table.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        folder=results,
        made_from=made_from("audit_table"),
    script:
        "../../scripts/audit_table.py"


# The verdict: it fails where the engine is at fault, after the tables and figures are there.
rule audit_verdict:
    input:
        judged("audit_verdict"),
        table=rules.audit_table.output.audit_table,
        figure=expand(f"{RESULTS}/figures/audit.{{form}}", form=["png", "pdf"] if AUDITED else []),
    output:
        text=f"{RESULTS}/audit.txt",
    log:
        f"{RESULTS}/logs/audit_verdict.log",
    conda:
        ENVIRONMENT
    params:
        circumstances=lambda _: audit_circumstances(),
        made_from=made_from("audit_verdict"),
    script:
        "../../scripts/audit_verdict.py"
