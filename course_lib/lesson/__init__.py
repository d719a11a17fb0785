"""What notebooks need beside the science: figures, tables, checks of exercises, explorers."""
