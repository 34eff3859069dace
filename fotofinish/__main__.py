"""`python -m fotofinish` is the command `fotofinish`."""

from fotofinish.cli import main

if __name__ == "__main__":
    main()
