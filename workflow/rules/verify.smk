# Studies whose answers are known, each run by a call of Snakemake of its own, since a call serves
# one study. `short` has fewer cells and sims.
from clustrategy.config import load
from snakemake.utils import update_config

VERIFIED = {"arms": "config/verification-arms.yaml", "slopes": "config/verification-slopes.yaml"}
SHORT = "config/verification-short.yaml"


def verification_files(form, part):
    """The config files of a verification study, later ones over earlier ones."""
    return [VERIFIED[part], *([SHORT] if form == "verification-short" else [])]


def verification_configs(wildcards):
    """The whole config of each study, as the call of its own has it."""
    configs = []
    for part in VERIFIED:
        whole = load("config/config.yaml")
        for file in verification_files(wildcards.form, part):
            update_config(whole, load(file))
        configs.append({**whole, "study": f"{wildcards.form}-{part}"})
    return configs


def verification_tables(name):
    return lambda wildcards: [
        f"results/{wildcards.form}-{part}/{name}.parquet" for part in VERIFIED
    ]


wildcard_constraints:
    form="verification|verification-short",
    part="|".join(VERIFIED),


localrules:
    verification_study,


# Its output changes with the study's results: a later run of the study in its own right counts.
rule verification_study:
    input:
        config="config/config.yaml",
        over=lambda wildcards: verification_files(wildcards.form, wildcards.part),
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
        targets=lambda wildcards: [
            f"results/{wildcards.form}-{wildcards.part}/{name}.parquet"
            for name in ("performance", "estimates", "fits")
        ],
    shell:
        "{params.python} -m snakemake --cores {threads} --configfile {input.over} "
        "--config study={params.study} -- {params.targets} > {log} 2>&1 "
        "&& cksum {params.targets[0]} > {output}"


rule verification_table:
    input:
        expand("results/{{form}}/{part}.cksum", part=VERIFIED),
        code=code("stages/verification"),
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
        configs=verification_configs,
        performance=verification_tables("performance"),
        estimates=verification_tables("estimates"),
        fits=verification_tables("fits"),
    script:
        "../../scripts/verification_table.py"


rule verification_figure:
    input:
        table=rules.verification_table.output.parquet,
        code=code("figures/verification", "figures/files"),
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
        code=code("stages/verification"),
    output:
        text="results/{form}/verification.txt",
    log:
        "results/{form}/logs/verification_verdict.log",
    conda:
        "../../envs/environment.yaml"
    script:
        "../../scripts/verification_verdict.py"
