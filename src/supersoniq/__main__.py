"""`python -m supersoniq`: the command line."""

from supersoniq.cli.main import main

if __name__ == "__main__":
    main()
