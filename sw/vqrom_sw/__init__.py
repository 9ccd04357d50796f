"""Networks on a universal codebook: import, compression, files, reference and compiler.

Each room (sub-package) says in its first paragraph what lives there. Two modules beside the rooms
join several of them: :mod:`vqrom_sw.compress` takes a float network the whole way to a quantised
one, and :mod:`vqrom_sw.topology` compiles layers without weights. :mod:`vqrom_sw.progress` says
how long-running functions report how far they are.
"""
