if not GIVEN:
    origin(
        "cluster_coefficients",
        lambda: [study.recipe.drawing, study.seed, study.dgp, study.largest_cells, study.sims],
    )
    origin("dependence", lambda: [study.recipe.drawing, study.seed])

    rule cluster_coefficients:
        input:
            judged("cluster_coefficients"),
        output:
            table=f"{RESULTS}/cluster_coefficients.parquet",
        log:
            f"{RESULTS}/logs/cluster_coefficients.log",
        conda:
            ENVIRONMENT
        params:
            seed=study.seed,
            dgp=study.dgp,
            cells=study.largest_cells,
            sims=study.sims,
            made_from=made_from("cluster_coefficients"),
        script:
            "../../scripts/cluster_coefficients.py"

    rule dependence:
        input:
            judged("dependence"),
        output:
            table=table(f"{RESULTS}/dependence.csv"),
        log:
            f"{RESULTS}/logs/dependence.log",
        conda:
            ENVIRONMENT
        params:
            seed=study.seed,
            made_from=made_from("dependence"),
        script:
            "../../scripts/dependence.py"


# The rule that makes a table, which is not always called as the table is.
MAKERS = {
    "estimates": "tables",
    "fits": "tables",
    "scores": "tables",
    "audit": "audit_table",
    "differences": "performance",
    "detectable": "power",
}

for name in figure_names():
    origin(
        f"figure/{name}",
        figure_settings(name),
        *(
            MAKERS.get(table, table)
            for table in figures.FIGURES[name].tables
            if AUDITED or table != "audit"
        ),
        code=partial(figure_code, name),
    )


rule figure:
    input:
        judged("figure"),
        tables=lambda wildcards: figure_tables(wildcards.name),
    output:
        png=report(
            f"{RESULTS}/figures/{{name}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{name}"},
        ),
        pdf=f"{RESULTS}/figures/{{name}}.pdf",
        svg=f"{RESULTS}/figures/{{name}}.svg",
    log:
        f"{RESULTS}/logs/figures/{{name}}.log",
    wildcard_constraints:
        name="|".join(figure_names()),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: figure_settings(wildcards.name),
        made_from=made_from("figure"),
    script:
        "../../scripts/figure.py"
