"""Networks onto a universal codebook: capture, compression, files and the integer reference."""
