# The example on real data. The table is downloaded where it is neither configured nor there yet:
# later runs need no network.
from clustrategy.core.digests import file_digest
from clustrategy.engines.chosen import Strategy
from clustrategy.examples.student_regressions import STRATEGIES as FITTED
from clustrategy.examples.student_regressions import read
from clustrategy.examples.student_table import Settings, Table

TABLE = Table(Settings(**study.config["student"]), f"{RESULTS}/student")

# A downloaded table is judged by its checksum in the settings.
origin(
    "student_example",
    lambda: [
        study.config["student"],
        study.config["figures"],
        file_digest(TABLE.path()) if study.config["student"]["file"] else "downloaded",
        [Strategy.parse(entry).digest for entry in FITTED],
    ],
)


@cache
def student_table_file():
    """The table, which has to go with the formula before the first job, if it is there."""
    path = TABLE.path()
    if workflow.is_main_process and Path(path).is_file():
        with one_sentence():
            read(path, TABLE.settings)
    return path


if TABLE.is_to_be_downloaded:

    # Not every server answers HEAD; the archive is small.
    storage archive:
        provider="http",
        supports_head=False,

    rule student_table:
        input:
            archive=lambda wildcards: storage.archive(TABLE.url()),
        output:
            table=TABLE.kept,
        log:
            f"{RESULTS}/logs/student_table.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            settings=lambda _: study.config["student"],
        script:
            "../../scripts/student_table.py"


rule student_example:
    input:
        judged("student_example"),
        table=lambda _: student_table_file(),
    output:
        table=f"{RESULTS}/student/coefficients.csv",
        text=f"{RESULTS}/student/student.md",
        png=f"{RESULTS}/student/student.png",
        pdf=f"{RESULTS}/student/student.pdf",
    log:
        f"{RESULTS}/logs/student_example.log",
    conda:
        ENVIRONMENT
    params:
        settings=lambda _: study.config["student"],
        options=lambda _: study.config["figures"],
        made_from=made_from("student_example"),
    script:
        "../../scripts/student_example.py"


rule student:
    input:
        rules.student_example.output,
