"""``python -m vqrom_sim.cli``: the command line without the installed script."""

from . import main

main()
