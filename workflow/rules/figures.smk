rule cluster_coefficients:
    input:
        code=code("steps/cluster_coefficients"),
    output:
        table=f"{RESULTS}/cluster_coefficients.parquet",
    log:
        f"{RESULTS}/logs/cluster_coefficients.log",
    conda:
        "../../envs/environment.yaml"
    params:
        jobs=[study.job(cell) for cell in study.largest_cells],
        sims=study.sims,
    script:
        "../../scripts/cluster_coefficients.py"


rule dependence:
    input:
        code=code("steps/dependence"),
    output:
        table=f"{RESULTS}/dependence.csv",
    log:
        f"{RESULTS}/logs/dependence.log",
    conda:
        "../../envs/environment.yaml"
    params:
        seed=study.seed,
    script:
        "../../scripts/dependence.py"


rule figure:
    input:
        tables=lambda wildcards: figure_tables(wildcards.name),
        code=lambda wildcards: [os.path.relpath(file) for file in figures.code_of(wildcards.name)],
    output:
        png=f"{RESULTS}/figures/{{name}}.png",
        pdf=f"{RESULTS}/figures/{{name}}.pdf",
    log:
        f"{RESULTS}/logs/figures/{{name}}.log",
    wildcard_constraints:
        name="|".join(figure_names()),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        job=lambda wildcards: figure_job(wildcards.name),
    script:
        "../../scripts/figure.py"
