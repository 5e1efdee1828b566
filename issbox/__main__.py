"""`python -m issbox` is the command `issbox`."""

from issbox.cli import main

if __name__ == "__main__":
    main()
