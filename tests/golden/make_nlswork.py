"""Write nlswork.parquet, the rows of Stata's example `nlswork` that summclust's examples take.

    python make_nlswork.py FOLDER/nlswork.dta

Stata gets the file by `webuse nlswork`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from clustrategy import read_table

COLUMNS = ["ind_code", "ln_wage", "msp", "union", "race", "grade", "age", "birth_yr"]


def main(path: str) -> None:
    """Write the file beside this one."""
    table = read_table(path)[COLUMNS].dropna()
    table = table[table["age"].between(20, 40)].sort_values(COLUMNS)
    whole = table.drop(columns="ln_wage").astype("int8")
    whole["ln_wage"] = table["ln_wage"].astype("float32")
    target = Path(__file__).with_name("nlswork.parquet")
    whole.to_parquet(target, index=False, compression="zstd", compression_level=19)


if __name__ == "__main__":
    main(sys.argv[1])
