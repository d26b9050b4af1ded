# Studies whose answers are known, each run by a call of Snakemake of its own, since a call serves
# one study.
from clustrategy.verification import studies as verified


def config_of_verification(file):
    """Where a config file of the verification is."""
    return config_file(file, BASE)


wildcard_constraints:
    form="|".join(verified.FORMS),
    part="|".join(verified.PARTS),


for form in verified.FORMS:
    for part in verified.PARTS:
        origin(
            f"verification_study/{form}/{part}",
            verified.configs(form, config_of_verification),
            code=lambda: sorted(PACKAGE.rglob("*.py")),
        )
    parts = [f"verification_study/{form}/{part}" for part in verified.PARTS]
    origin(f"verification_table/{form}", verified.configs(form, config_of_verification), *parts)
    origin(f"verification_figure/{form}", study.config["figures"], f"verification_table/{form}")
    origin(f"verification_verdict/{form}", [], f"verification_table/{form}")


# The call knows what there is to be done; its tables are judged here, too.
rule verification_study:
    input:
        judged("verification_study", of_the_study=False),
        default=config_of_verification(verified.DEFAULT),
        over=lambda wildcards: [
            config_of_verification(file) for file in verified.files(wildcards.form, wildcards.part)
        ],
    output:
        update(
            multiext(
                "results/{form}-{part}/",
                "performance.parquet",
                "estimates.parquet",
                "fits.parquet",
            )
        ),
    log:
        "results/{form}/logs/{part}.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        snakefile=workflow.main_snakefile,
        made_from=made_from("verification_study"),
    script:
        "../../scripts/verification_study.py"


rule verification_table:
    input:
        judged("verification_table", of_the_study=False),
        studies=expand(
            "results/{{form}}-{part}/{table}.parquet",
            part=verified.PARTS,
            table=["performance", "estimates", "fits"],
        ),
    output:
        parquet="results/{form}/verification.parquet",
        csv="results/{form}/verification.csv",
    log:
        "results/{form}/logs/verification_table.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
    params:
        configs=lambda wildcards: verified.configs(wildcards.form, config_of_verification),
        performance=lambda wildcards: verified.tables(wildcards.form, "performance"),
        estimates=lambda wildcards: verified.tables(wildcards.form, "estimates"),
        fits=lambda wildcards: verified.tables(wildcards.form, "fits"),
        made_from=made_from("verification_table"),
    script:
        "../../scripts/verification_table.py"


rule verification_figure:
    input:
        judged("verification_figure", of_the_study=False),
        table=rules.verification_table.output.parquet,
    output:
        png="results/{form}/verification.png",
        pdf="results/{form}/verification.pdf",
    log:
        "results/{form}/logs/verification_figure.log",
    conda:
        ENVIRONMENT
    params:
        options=lambda _: study.config["figures"],
        made_from=made_from("verification_figure"),
    script:
        "../../scripts/verification_figure.py"


# The verdict: it fails where a number differs, after the table and the figure are there.
rule verification_verdict:
    input:
        judged("verification_verdict", of_the_study=False),
        table=rules.verification_table.output.parquet,
        figure=rules.verification_figure.output,
    output:
        text="results/{form}/verification.txt",
    log:
        "results/{form}/logs/verification_verdict.log",
    conda:
        ENVIRONMENT
    params:
        made_from=made_from("verification_verdict"),
    script:
        "../../scripts/verification_verdict.py"


rule verify:
    input:
        "results/verification/verification.txt",


rule verify_short:
    input:
        "results/verification-short/verification.txt",
