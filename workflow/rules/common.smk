# Everything the rules share: the study, its paths, and what surrounds a run.
import os
import shlex
import sys

from clustrategy.figures import registry as figures
from clustrategy.core.errors import ClustrategyError
from clustrategy.core.cells import COUNTS, format_level
from clustrategy.core.sources import PACKAGE, sources
from clustrategy.steps import provenance
from clustrategy.steps import remake as remade
from clustrategy.runtime import run
from clustrategy.runtime.progress import Progress
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

RESULTS = study.folder
PLACES = {factor: f"{factor}={{{factor}}}" for factor in study.factors}
SHARD = os.path.join(*PLACES.values(), "sims={block}.parquet")
# A size is the values of the factors that count something; a job serves all cells of one size.
SIZE = os.path.join(*(place for factor, place in PLACES.items() if factor in COUNTS))
SIM = os.path.join(*(f"{factor}={{{factor},[^/]+}}" for factor in study.factors), "sim={sim}")
AUDITED = study.config["audit"] is not None


wildcard_constraints:
    **{count: r"\d+" for count in COUNTS},
    block=r"\d+-\d+",
    sim=r"\d+",


def code(*modules):
    """Modules and what they import, as inputs: an edit reruns what depends on it, a touch does not."""
    files = sources(*(PACKAGE / f"{module}.py" for module in modules))
    return [os.path.relpath(file) for file in files]


def shards(stage):
    """The shards of a job: some sims of all cells of one size."""
    levels = {
        factor: [format_level(value) for value in values]
        for factor, values in study.levels.items()
        if factor not in COUNTS
    }
    return expand(f"{RESULTS}/{stage}/{SHARD}", **levels, allow_missing=True)


def job_log(stage):
    return f"{RESULTS}/logs/{stage}/{SIZE}/sims={{block}}.log"


def kept(paths):
    """Datasets are temporary unless the config says otherwise."""
    return paths if study.config["keep_datasets"] else temp(paths)


def kept_datasets():
    return study.shards("datasets") if study.config["keep_datasets"] else []


def csv_files():
    """The tables of single sims that are for people's eyes, which a large study may go without."""
    names = ("sim_results", "sim_estimates") if study.config["csv"] else ()
    return {name: f"{RESULTS}/{name}.csv" for name in names}


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


def figure_job(name):
    """What a figure needs to know of the study, and no more: it is drawn anew when that changes."""
    options = dict(study.config["figures"])
    if name != "lollipop":
        del options["lollipop"]
    if "performance" in figures.FIGURES[name].tables or "estimates" in figures.FIGURES[name].tables:
        options |= {"dgp": study.further_dgp, "alpha": study.config["performance"]["alpha"]}
    return {
        "factors": study.factors,
        "strategies": [strategy.label for strategy in study.strategies],
        "options": options,
        "note": audit_note(),
    }


def begin():
    """Before the first job: one run at a time, in a folder that is this study's."""
    try:
        run.begin(study)
    except ClustrategyError as error:
        sys.exit(f"clustrategy: {error}")


def report():
    """After the last job: where the results are and what the main finding is."""
    print(run.closing_words(study), file=sys.stderr)
