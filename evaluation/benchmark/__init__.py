"""One benchmark: frozen tasks, and whoever answers them side by side."""
