# A drained slot forgets its page.
# noticed by: a drained slot keeps its page and is clean
/^	slot->flags = 0;/a\
	slot->page = NULL;
