"""What runs the course: its commands, grading, releases, pages, downloads, the paper's tables and figures."""
