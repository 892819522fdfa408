"""``python -m traffic_siamese``: the command line."""

from traffic_siamese.cli import main

if __name__ == "__main__":
    main()
