# A slot with one byte left counts as drained.
# noticed by: consuming a part of a slot leaves the rest in place
s/^	if (slot->len)$/	if (slot->len > 1)/
