# The page to send: what to think of the strategies, the evidence, and why to believe it.
from clustrategy.core.digests import file_digest
from clustrategy.report.environment import TEMPLATES

CITATION = next((str(file) for file in [Path(BASE, "CITATION.cff")] if file.is_file()), None)

origin(
    "report",
    lambda: [
        study.config,
        remake_command(),
        *(file_digest(file) for file in sorted(TEMPLATES.iterdir())),
        CITATION and file_digest(CITATION),
    ],
    "provenance",
)


rule report:
    input:
        judged("report"),
        verdicts=rules.verdicts.output.verdicts,
        fits=rules.aggregate.output.fits,
        scores=rules.aggregate.output.scores,
        worked_example=[] if GIVEN else rules.worked_example.output,
        svg=figure_files_as("svg"),
        png=figure_files_as("png"),
        audit=audit_files(),
        provenance=rules.provenance.output.provenance,
        own=list(own_tables().values()),
    output:
        page=report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="The answer",
            labels={"page": "report.html"},
        ),
    log:
        f"{RESULTS}/logs/report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=results,
        config=lambda _: study.config,
        remake=lambda _: remake_command(),
        citation=lambda _: CITATION,
        own=lambda _: {name: str(file) for name, file in own_tables().items()},
        made_from=made_from("report"),
    script:
        "../../scripts/report.py"
