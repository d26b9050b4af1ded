# Studies whose answers are known, each run by a call of Snakemake of its own, since a call serves
# one study.
from clustrategy.verification import studies as verified


wildcard_constraints:
    form="|".join(verified.FORMS),
    part="|".join(verified.PARTS),


localrules:
    verification_study,


# The call knows what there is to be done, and its table's checksum whether anything has changed.
rule verification_study:
    input:
        default=verified.DEFAULT,
        over=lambda wildcards: verified.files(wildcards.form, wildcards.part),
        code=[os.path.relpath(file) for file in sorted(PACKAGE.rglob("*.py"))],
    output:
        "results/{form}/{part}.cksum",
    log:
        "results/{form}/logs/{part}.log",
    conda:
        "../../envs/environment.yaml"
    threads: workflow.cores
    params:
        python=sys.executable,
        study="{form}-{part}",
    shell:
        "{params.python} -m snakemake --cores {threads} --configfile {input.over} "
        "--config study={params.study} -- results/{params.study}/performance.parquet "
        "results/{params.study}/estimates.parquet results/{params.study}/fits.parquet "
        "> {log} 2>&1 && cksum results/{params.study}/performance.parquet > {output}"


rule verification_table:
    input:
        expand("results/{{form}}/{part}.cksum", part=verified.PARTS),
        code=code("steps/verification_table"),
    output:
        parquet="results/{form}/verification.parquet",
        csv="results/{form}/verification.csv",
    log:
        "results/{form}/logs/verification_table.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=4000,
    params:
        configs=lambda wildcards: verified.configs(wildcards.form),
        performance=lambda wildcards: verified.tables(wildcards.form, "performance"),
        estimates=lambda wildcards: verified.tables(wildcards.form, "estimates"),
        fits=lambda wildcards: verified.tables(wildcards.form, "fits"),
    script:
        "../../scripts/verification_table.py"


rule verification_figure:
    input:
        table=rules.verification_table.output.parquet,
        code=code("steps/verification_figure"),
    output:
        png="results/{form}/verification.png",
        pdf="results/{form}/verification.pdf",
    log:
        "results/{form}/logs/verification_figure.log",
    conda:
        "../../envs/environment.yaml"
    params:
        options=study.config["figures"],
    script:
        "../../scripts/verification_figure.py"


# The verdict: it fails where a number differs, after the table and the figure are there.
rule verification_verdict:
    input:
        table=rules.verification_table.output.parquet,
        figure=rules.verification_figure.output,
        code=code("steps/verification_verdict"),
    output:
        text="results/{form}/verification.txt",
    log:
        "results/{form}/logs/verification_verdict.log",
    conda:
        "../../envs/environment.yaml"
    script:
        "../../scripts/verification_verdict.py"
