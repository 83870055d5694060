"""`python -m eventsnn` is the command line without the installed script."""

from eventsnn.cli.main import main

if __name__ == "__main__":
    main()
