# Everything the rules share: the study, its paths, and what surrounds a run.
import os
import shlex
import sys

from clustrategy import figures
from clustrategy.errors import ClustrategyError
from clustrategy.sources import PACKAGE, sources
from clustrategy.stages import provenance, run
from clustrategy.stages.progress import Progress
from clustrategy.study import Study
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
SHARD = "{cell}/sims={block}"
AUDITED = bool(study.config.get("audit"))


wildcard_constraints:
    cell="clusters=[^/]+/.+",
    block=r"\d+-\d+",


def code(*modules):
    """Modules and what they import, as inputs: an edit reruns what depends on it, a touch does not."""
    files = sources(*(PACKAGE / f"{module}.py" for module in modules))
    return [os.path.relpath(file) for file in files]


def kept(path):
    """Datasets are temporary unless the config says otherwise."""
    return path if study.config["keep_datasets"] else temp(path)


def kept_datasets():
    return study.shards("datasets") if study.config["keep_datasets"] else []


def sims(wildcards):
    return list(study.block_sims(wildcards.block))


def cell_job(wildcards):
    return study.job(study.cell(wildcards.cell))


def figure_names():
    return [name for name in figures.FIGURES if figure_tables(name)]


def figure_files():
    return expand(f"{RESULTS}/figures/{{name}}.{{form}}", name=figure_names(), form=["png", "pdf"])


def figure_tables(name):
    """The tables that a figure reads, without the audit where there is none."""
    tables = [table for table in figures.FIGURES[name][1] if table != "audit" or AUDITED]
    return [
        f"{RESULTS}/{table}.{'csv' if table == 'dependence' else 'parquet'}" for table in tables
    ]


def figure_job():
    """What a figure needs to know of the study."""
    return {
        "factors": study.factors,
        "strategies": [strategy.label for strategy in study.strategies],
        "options": study.config["figures"],
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
