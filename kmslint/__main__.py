"""`python -m kmslint`."""

from kmslint.cli.main import run

if __name__ == "__main__":
    run()
