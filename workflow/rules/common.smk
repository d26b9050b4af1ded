# Everything the rules share: the study, its paths, what is to be made, and what surrounds a run.
import os
import shlex
import sys
from functools import cache, partial

from clustrategy.core.cells import COUNTS
from clustrategy.core.digests import digest
from clustrategy.core.errors import ClustrategyError
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.figures import registry as figures
from clustrategy.runtime import closing_words, lock
from clustrategy.runtime.clock import reset_future_mtimes
from clustrategy.runtime.progress import Progress
from clustrategy.runtime.receipts import are_good
from clustrategy.runtime.work import Work
from clustrategy.steps import provenance
from clustrategy.steps.remake import FILES as REMADE
from clustrategy.study.audits import AuditedBlocks
from clustrategy.study.shards import judge
from clustrategy.study.study import Study
from snakemake.logging import logger

# Snakemake starts `script:` jobs by an unquoted path of Python, which may hold a space.
if shlex.quote(sys.executable) != sys.executable:
    sys.executable = shlex.quote(sys.executable)

logger.addFilter(Progress())

os.environ.setdefault(provenance.STARTED, provenance.now())
os.environ.setdefault(provenance.COMMAND, shlex.join(sys.argv))

CONFIG_FILES = [*map(str, workflow.configfiles), *map(str, workflow.overwrite_configfiles)]

try:
    study = Study.from_config(config, CONFIG_FILES)
    study.check_folder()
    for strategy in study.strategies:
        strategy.check()
except ClustrategyError as error:
    sys.exit(f"clustrategy: {error}")

# Snakemake takes braces in a path for wildcards.
ENVIRONMENT = f"{BASE}/envs/environment.yaml".replace("{", "{{").replace("}", "}}")
RESULTS = study.folder
SIM = os.path.join(*(f"{factor}={{{factor},[^/]+}}" for factor in study.factors), "sim={sim}")
AUDITED = study.config["audit"] is not None

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
    """Before anything is written: one run at a time, in a folder that is this study's."""
    try:
        lock.hold(RESULTS)
        study.plan.write()
    except ClustrategyError as error:
        sys.exit(f"clustrategy: {error}")


@cache
def work(audit):
    """The jobs that make what is missing or stale of the shards; Snakemake asks when it plans."""
    folder = f"{RESULTS}/{'audit_packs' if audit else 'packs'}"
    if not workflow.is_main_process:
        return Work.frozen(folder)
    judged = AuditedBlocks.of(study.plan).judge() if audit else judge(study.plan)
    noun = "audited blocks" if audit else "blocks"
    found = Work.of(folder, judged, workflow.cores or 1, noun)
    if found.said:
        print(f"clustrategy: {found.said}", file=sys.stderr)
    if is_executing():
        begin()
        found.freeze()
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


# Where a step leads to all strategies: those that a study has enter by digests of their own.
STRATEGIES = [PACKAGE / "engines/chosen.py", PACKAGE / "study/shards.py"]

# What gives a digest of all that files are made from, under the name of what makes them.
ORIGINS = {}


def origin(rule, settings, *after, code=None):
    """Say what a rule's files are made from: its step's code, its settings, and other rules' files.

    The answer is a params function, and worked out when it is asked for.
    """

    @cache
    def found():
        step = PACKAGE / f"steps/{rule.partition('/')[0]}.py"
        files = code() if code else sources(step, but=STRATEGIES)
        content = settings() if callable(settings) else settings
        return digest(code_digest(files), content, [ORIGINS[other]() for other in after])

    ORIGINS[rule] = found
    return lambda _: found()


def made_from(rule):
    """A params function: what a job's files are made from, where that depends on its wildcards."""
    return lambda wildcards: (ORIGINS.get("/".join((rule, *wildcards))) or ORIGINS[rule])()


def judged(rule):
    """An input function that gives no file, but has a job's own files made again where they are
    not what they should be."""

    def judge(wildcards):
        if is_executing():
            begin()
        if workflow.is_main_process and workflow.dag is not None:
            known = getattr(rules, rule)
            files = [str(file).format(**dict(wildcards.items())) for file in known.output]
            (log,) = [str(file).format(**dict(wildcards.items())) for file in known.log]
            if any(map(os.path.exists, files)):
                if not are_good(log, made_from(rule)(wildcards), files):
                    workflow.dag.forcefiles.update(files)
        return []

    return judge


def figure_names():
    """The figures that show something of this study."""
    coefficients = study.levels.get("coefficients", [study.dgp["coefficients"]])
    return [name for name in figures.names(coefficients) if figure_tables(name)]


def figure_files():
    return expand(f"{RESULTS}/figures/{{name}}.{{form}}", name=figure_names(), form=["png", "pdf"])


def figure_tables(name):
    """The tables that a figure reads, without the audit where there is none."""
    tables = [table for table in figures.FIGURES[name].tables if table != "audit" or AUDITED]
    return [
        f"{RESULTS}/{table}.{'csv' if table == 'dependence' else 'parquet'}" for table in tables
    ]


def figure_code(name):
    """The files that a figure is drawn by."""
    return [PACKAGE / "steps/figure.py", *figures.code_of(name)]


def figure_settings(name):
    """What a figure needs to know of the study, and no more: it is drawn anew when that changes."""
    options = dict(study.config["figures"])
    if name != "lollipop":
        del options["lollipop"]
    if "performance" in figures.FIGURES[name].tables or "estimates" in figures.FIGURES[name].tables:
        options |= {"dgp": study.further_dgp, "alpha": study.config["performance"]["alpha"]}
    return {
        "factors": study.factors,
        "strategies": study.plan.labels,
        "options": options,
        "note": audit_note(),
    }


def audit_files():
    return rules.audit_verdict.output if AUDITED else []


def audit_note():
    """What every figure says of a study that should have been audited and could not."""
    missing, _, _ = study.audit_plan[1].partition(":")
    return f"NOT AUDITED: {missing}." if AUDITED and missing else ""


def remake_command():
    """What makes a dataset again, less its own path."""
    files = [os.path.relpath(file) for file in workflow.overwrite_configfiles]
    options = ["--configfile", *files] if files else []
    return shlex.join(["snakemake", *options, "--cores", "1", f"{RESULTS}/remade"])


def audit_circumstances():
    """What the audit's verdict says of a run, beside what was found."""
    return {
        "missing": study.audit_plan[1],
        "without": study.unaudited,
        "versions": study.reference_versions,
        "remake": remake_command(),
    }


def close():
    """After the last job: where the results are and what the main finding is."""
    print(closing_words.closing_words(study), file=sys.stderr)
