# A kept page stands in both arrays after a move.
# noticed by: a move loses no bytes, no page, and doubles none
/^		new->page_no = old->page_no;/{
n
d
}
