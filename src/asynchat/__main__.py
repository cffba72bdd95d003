"""`python -m asynchat`."""

from asynchat.cli import main

if __name__ == "__main__":
    main()
