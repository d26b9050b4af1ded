#!/bin/sh
# Says of a Slurm job, in Snakemake's words: running, success or failed.
state=$(scontrol --oneliner show job "$1" 2>/dev/null | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p')
if [ -z "$state" ]; then
  # The controller forgets ended jobs after a while; the accounting, where there is one, does not.
  state=$(sacct --allocations --noheader --parsable2 --format=State --jobs="$1" 2>/dev/null | head -n 1)
fi
case $state in
  COMPLETED) echo success ;;
  BOOT_FAIL* | CANCELLED* | DEADLINE* | FAILED* | NODE_FAIL* | OUT_OF_MEMORY* | PREEMPTED* | TIMEOUT*)
    echo failed ;;
  *) echo running ;;
esac
