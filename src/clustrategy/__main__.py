"""`python -m clustrategy`: the command line."""

from clustrategy.runtime.command_line import main

if __name__ == "__main__":
    main()
