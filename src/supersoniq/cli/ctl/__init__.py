"""`supersoniq ctl`: the words, flags, output and exit codes of rabbitmqctl and its kin."""
