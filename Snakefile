# The map of a study: config -> simulate -> fit -> score -> aggregate -> figures.
from clustrategy.runtime.run import config_file
from snakemake.utils import min_version

min_version("9.0")


configfile: config_file("config/config.yaml")
configfile: config_file("config/student.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/performance.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/examples.smk"
include: "workflow/rules/student.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/provenance.smk"


rule all:
    default_target: True
    input:
        kept_datasets(),
        rules.aggregate.output,
        rules.summary.output,
        rules.performance.output,
        figure_files(),
        audit_files(),
        rules.worked_example.output,
        rules.provenance.output,


rule audit:
    input:
        rules.audit_table.output,
        rules.audit_verdict.output,


rule student:
    input:
        rules.student_example.output,


rule verify:
    input:
        "results/verification/verification.txt",


rule verify_short:
    input:
        "results/verification-short/verification.txt",


onstart:
    begin()


onsuccess:
    report()
