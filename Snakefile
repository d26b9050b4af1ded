# The map of a study: config -> blocks of sims, each simulated, fitted and scored -> tables -> figures.
from clustrategy.runtime.configs import config_file, is_asked_for
from snakemake.utils import min_version

min_version("9.0")


BASE = workflow.current_basedir


report: "workflow/report/study.rst"


if "data" in config:

    configfile: config_file("config/data.yaml", BASE)

else:

    configfile: config_file("config/config.yaml", BASE)


# A study on a table has no example beside it, whatever its config file is called.
if "data" not in config and is_asked_for("student", config):

    configfile: config_file("examples/student/table.yaml", BASE)


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate_fit_score.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/examples.smk"


if GIVEN:

    include: "workflow/rules/calibration.smk"
    include: "workflow/rules/placebo.smk"
    include: "workflow/rules/calibrated_choice.smk"
    include: "workflow/rules/power.smk"
    include: "workflow/rules/own_estimates.smk"


include: "workflow/rules/figures.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/report.smk"


if "student" in config:

    include: "workflow/rules/student.smk"


if is_asked_for("verif", config):

    include: "workflow/rules/verify.smk"


rule all:
    default_target: True
    input:
        block_receipts,
        audit_receipts,
        rules.aggregate.output,
        rules.summary.output,
        rules.performance.output,
        rules.verdicts.output,
        figure_files(),
        audit_files(),
        [getattr(rules, name).output for name in OF_A_TABLE]
        if GIVEN
        else rules.worked_example.output,
        rules.provenance.output,
        rules.report.output,


rule audit:
    input:
        audit_receipts,
        rules.audit_table.output,
        rules.audit_verdict.output,


onsuccess:
    close()
