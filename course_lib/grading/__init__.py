"""Grade submissions: in a sandbox, by the values that answers return, into nbgrader's gradebook."""
