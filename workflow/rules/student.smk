# The example on real data. The table is downloaded where it is neither configured nor there yet:
# later runs need no network.
from clustrategy.examples.student_table import Settings, Table

STUDENT = study.config["student"]
TABLE = Table(Settings(**STUDENT), f"{RESULTS}/student")


if TABLE.is_to_be_downloaded:

    # Not every server answers HEAD; the archive is small.
    storage archive:
        provider="http",
        supports_head=False,

    localrules:
        student_table,

    rule student_table:
        input:
            archive=lambda wildcards: storage.archive(TABLE.url()),
        output:
            table=TABLE.kept,
        log:
            f"{RESULTS}/logs/student_table.log",
        conda:
            "../../envs/environment.yaml"
        params:
            settings=STUDENT,
        script:
            "../../scripts/student_table.py"


rule student_example:
    input:
        table=TABLE.path,
        code=code("steps/student_example", "engines/statsmodels"),
    output:
        table=f"{RESULTS}/student/coefficients.csv",
        text=f"{RESULTS}/student/student.md",
        png=f"{RESULTS}/student/student.png",
        pdf=f"{RESULTS}/student/student.pdf",
    log:
        f"{RESULTS}/logs/student_example.log",
    conda:
        "../../envs/environment.yaml"
    params:
        settings=STUDENT,
        options=study.config["figures"],
    script:
        "../../scripts/student_example.py"
