# A piece is taken to begin where its page does.
# noticed by: a piece that is added is the newest slot
/^void ring_add/,/^}/{
	s/= \*piece;/= (struct ipc_slot){piece->page, piece->page_no, 0, piece->len, piece->flags};/
}
