# A pack of blocks through simulate, fit and score. What is missing or stale is known when Snakemake
# plans; the shards themselves are no files of Snakemake's, they are judged by what they hold.
rule simulate_fit_score:
    output:
        receipt=f"{RESULTS}/packs/{{pack}}.json",
    log:
        f"{RESULTS}/logs/simulate_fit_score/{{pack}}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: minutes(wildcards.pack, attempt),
    params:
        folder=results,
    script:
        "../../scripts/simulate_fit_score.py"
