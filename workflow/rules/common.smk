# Everything the rules share: the study, its paths, what is to be made, and what surrounds a run.
import os
import shlex
import sys
from functools import cache, partial
from pathlib import Path

from clustrategy.core.cells import COUNTS
from clustrategy.core.digests import digest
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.figures import registry as figures
from clustrategy.runtime import closing_words, lock
from clustrategy.runtime.clock import reset_future_mtimes
from clustrategy.runtime.configs import check_files
from clustrategy.runtime.progress import AUDITING, MAKING, Progress
from clustrategy.runtime.receipts import are_good, remove_unwanted
from clustrategy.runtime.sentence import one_sentence
from clustrategy.runtime.targets import MissingTarget
from clustrategy.runtime.work import Work
from clustrategy.steps import provenance
from clustrategy.steps.remake import FILES as REMADE
from clustrategy.study.audits import AuditedBlocks
from clustrategy.study.plan import stored
from clustrategy.study.shards import judge
from clustrategy.study.study import Study
from clustrategy.study.trials import try_out
from clustrategy.tables.files import remove_leftovers
from snakemake.logging import logger

# Snakemake starts `script:` jobs by an unquoted path of Python, which may hold a space.
if shlex.quote(sys.executable) != sys.executable:
    sys.executable = shlex.quote(sys.executable)

logger.addFilter(MissingTarget(lambda: target_files()))

os.environ.setdefault(provenance.STARTED, provenance.now())
os.environ.setdefault(provenance.COMMAND, shlex.join(sys.argv))

CONFIG_FILES = [*map(str, workflow.configfiles), *map(str, workflow.overwrite_configfiles)]

# As a module the files are those of another workflow.
if workflow.is_main_process and Path(workflow.main_snakefile).parent == Path(BASE):
    check_files(CONFIG_FILES)

with one_sentence():
    # On another machine the audit is what the run's plan says, whatever R there is.
    plan = {} if workflow.is_main_process else stored(f"results/{config['study']}") or {}
    study = Study.from_config(config, CONFIG_FILES, plan.get("audit"))
    study.check_folder()
    for strategy in study.strategies:
        strategy.check()
    if workflow.is_main_process and (unfit := try_out(study)):
        print(f"clustrategy: {unfit}", file=sys.stderr)

PROGRESS = Progress(study.config["performance"]["usable"])
if workflow.is_main_process:
    logger.addFilter(PROGRESS)

# Snakemake takes braces in a path for wildcards.
ENVIRONMENT = f"{BASE}/envs/environment.yaml".replace("{", "{{").replace("}", "}}")
RESULTS = study.folder
SIM = os.path.join(*(f"{factor}={{{factor},[^/]+}}" for factor in study.factors), "sim={sim}")
AUDITED = study.config["audit"] is not None
GIVEN = study.given is not None

if workflow.is_main_process and not workflow.output_settings.dryrun:
    reset_future_mtimes(RESULTS)


wildcard_constraints:
    **{count: r"\d+" for count in COUNTS},
    pack=r"[0-9a-f-]+",
    sim=r"\d+",


def results(_):
    """The study's folder, as a param."""
    return RESULTS


def is_executing():
    """Whether this is a run, and not a dry run, a graph or a job of a run."""
    return (
        workflow.is_main_process
        and workflow.executor_plugin is not None
        and not (workflow.dryrun or workflow.touch)
    )


@cache
def begin():
    """Before anything is written: one run at a time, in a folder that is this study's alone."""
    lock.hold(RESULTS)
    remove_leftovers(RESULTS)
    remove_unwanted(RESULTS, OF_THE_STUDY, wanted_files())
    if GIVEN:
        study.given.write(RESULTS)
    study.plan.write()


@cache
def work(audit):
    """The jobs that make the shards that are missing or stale; Snakemake asks when it plans.

    In a run, and not in a dry run, the jobs are also written down, for themselves to read.
    """
    folder = f"{RESULTS}/{'audit_packs' if audit else 'packs'}"
    if not workflow.is_main_process:
        return Work.frozen(folder)
    with one_sentence():
        judged = AuditedBlocks.of(study.plan).judge() if audit else judge(study.plan)
        noun = "audited blocks" if audit else "blocks"
        found = Work.of(folder, judged, workflow.cores or 1, noun)
        if found.said:
            print(f"clustrategy: {found.said}", file=sys.stderr)
        if found.missing or found.stale:
            size, cores = study.size(found.blocks, found.seconds), workflow.cores or 1
            said = size.said_of_audit(cores) if audit else size.said(cores, RESULTS)
            print(f"clustrategy: {said}", file=sys.stderr)
        if is_executing():
            begin()
            found.freeze()
            PROGRESS.follow(found, AUDITING if audit else MAKING)
    return found


def block_receipts(_):
    """What the jobs leave behind that make blocks."""
    return work(False).receipts


def audit_receipts(_):
    """What the jobs leave behind that audit blocks."""
    return work(True).receipts if AUDITED else []


def minutes(pack, attempt, audit=False):
    """The time that a pack's job may take, on a machine three times as slow as ours."""
    seconds = work(audit).packs[pack].seconds
    return attempt * max(10, round(3 * seconds / 60) + 5)


# What these modules import is not followed: rules that fit add the digests of their strategies.
STRATEGIES = [PACKAGE / "engines/chosen.py", PACKAGE / "study/shards.py"]


def table(path):
    """A table that `snakemake --report` shows."""
    labels = {"table": Path(path).name}
    return report(path, caption="../report/table.rst", category="Tables", labels=labels)


# Of each rule, or rule and wildcards, a function that digests all that its files depend on.
ORIGINS = {}


def origin(name, settings, *after, code=None):
    """Register what files are made from: the code of their step, settings, and other files.

    `settings` and `code` may be functions, which are called when the digest is asked for.
    """

    @cache
    def found():
        step = PACKAGE / f"steps/{name.partition('/')[0]}.py"
        files = code() if code else sources(step, but=STRATEGIES)
        with one_sentence():
            content = settings() if callable(settings) else settings
        return digest(code_digest(files), content, [ORIGINS[other]() for other in after])

    ORIGINS[name] = found


def made_from(rule):
    """A params function: the digest of what a job's files are made from."""
    return lambda wildcards: (ORIGINS.get("/".join((rule, *wildcards))) or ORIGINS[rule])()


def judged(rule, of_the_study=True):
    """An input function that gives no file, but has a job's own files made again where they are
    not what they should be."""

    def no_file(wildcards):
        if of_the_study and is_executing():
            with one_sentence():
                begin()
        if workflow.is_main_process and workflow.dag is not None:
            known = getattr(rules, rule)
            files = [str(file).format(**dict(wildcards.items())) for file in known.output]
            (log,) = [str(file).format(**dict(wildcards.items())) for file in known.log]
            if any(map(os.path.exists, files)):
                if not are_good(log, made_from(rule)(wildcards), files):
                    workflow.dag.forcefiles.update(files)
        return []

    return no_file


# The rules that only a study on a table of one's own has.
OF_A_TABLE = ["scenarios", "placebo", "calibrated_choice", "power", "own_estimates"]

# The rules whose files are the study's: what they made of another config goes.
OF_THE_STUDY = [
    "aggregate",
    "summary",
    "performance",
    "verdicts",
    "audit_table",
    "audit_verdict",
    *(OF_A_TABLE if GIVEN else ["worked_example", "cluster_coefficients", "dependence"]),
    "provenance",
    "report",
    "figures",
]


def wanted_files():
    """The files of these rules that this study has."""
    names = [n for n in OF_THE_STUDY[:-1] if AUDITED or not n.startswith("audit_")]
    files = [file for name in names for file in getattr(rules, name).output]
    return {*map(str, files), *figure_files()}


def target_files():
    """The files that can be asked for by name, as far as they have one."""
    files = [str(file) for rule in workflow.rules for file in rule.output if "{" not in str(file)]
    return sorted({*files, *figure_files()})


def figure_names():
    """The figures that show something of this study."""
    return [name for name in figures.names(study.coefficients) if figure_tables(name)]


def figure_files():
    return expand(
        f"{RESULTS}/figures/{{name}}.{{form}}", name=figure_names(), form=["png", "pdf", "svg"]
    )


def figure_tables(name):
    """The tables that a figure reads, without the audit where there is none."""
    tables = [table for table in figures.FIGURES[name].tables if table != "audit" or AUDITED]
    return [
        f"{RESULTS}/{table}.{'csv' if table == 'dependence' else 'parquet'}" for table in tables
    ]


def figure_code(name):
    """The files that a figure is drawn by; the registry of all figures without what it imports."""
    return [PACKAGE / "steps/figure.py", PACKAGE / "figures/registry.py", *figures.code_of(name)]


def figure_settings(name):
    """What a figure needs to know of the study, and no more: it is drawn anew when that changes."""
    options = dict(study.config["figures"])
    if name != "lollipop":
        del options["lollipop"]
    if name == "coefficient_recovery":
        options["reference"] = study.config["performance"]["reference"]
    tables = {*figures.FIGURES[name].tables}
    if tables & {"performance", "estimates"}:
        options["dgp"] = study.further_dgp
    if tables & {"performance", "estimates", "verdicts", "placebo"}:
        options["alpha"] = study.config["performance"]["alpha"]
    if "verdicts" in tables:
        options["verdict"] = study.config["verdict"]
    if name == "power_curves":
        options["response"] = study.given.response
    return {
        "factors": study.factors,
        "strategies": study.plan.labels,
        "options": options,
        "note": audit_note(),
    }


def figure_files_as(form):
    """The files of all figures in one format, in the order of the registry."""
    return expand(f"{RESULTS}/figures/{{name}}.{form}", name=figure_names())


def own_tables():
    """The tables of a study on a table of one's own that its page shows, by what it calls them."""
    if not GIVEN:
        return {}
    own = rules.own_estimates.output
    return {
        "detectable": rules.power.output.detectable,
        "placebo": rules.placebo.output.placebo,
        "choice": rules.calibrated_choice.output.calibrated_choice,
        "estimates": own.estimates,
        "design": own.design,
    }


def audit_files():
    return rules.audit_verdict.output if AUDITED else []


def audit_note():
    """What every figure says of a study that should have been audited and could not."""
    missing, _, _ = study.left_out.partition(":")
    return f"NOT AUDITED: {missing}." if AUDITED and missing else ""


def remake_command():
    """What makes a dataset again, less its own path."""
    files = [os.path.relpath(file) for file in workflow.overwrite_configfiles]
    target = f"{RESULTS}/remade"
    # Where Snakemake does not find the Snakefile by itself, the command of the package does.
    if Path(workflow.main_snakefile) == Path(BASE, "Snakefile") and Path.cwd() != Path(BASE):
        return shlex.join(["clustrategy", "study", *files, "--cores", "1", "--", target])
    options = ["--configfile", *files] if files else []
    return shlex.join(["snakemake", *options, "--cores", "1", target])


def audit_circumstances():
    """What the audit's verdict says of a run, beside what was found."""
    return {
        "missing": study.left_out,
        "without": study.unaudited,
        "versions": study.reference_versions,
        "remake": remake_command(),
    }


def close():
    """After the last job: where the results are and what the main finding is."""
    print(closing_words.closing_words(study, workflow.cores or 1), file=sys.stderr)
