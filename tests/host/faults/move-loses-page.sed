# A move drops the page that the first place keeps.
# noticed by: a move loses no bytes, no page, and doubles none
/^	place = ring_head(at);/a\
	if (from->slot[0].page)\
		from->slot[0] = (struct ipc_slot){};
