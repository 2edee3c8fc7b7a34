"""Where a partition resumes: from the commit and the objects."""
