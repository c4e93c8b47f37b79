# A drained slot keeps its flags.
# noticed by: a drained slot keeps its page and is clean
/^	slot->flags = 0;/d
