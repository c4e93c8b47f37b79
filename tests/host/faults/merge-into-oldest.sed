# Bytes merge into the oldest slot, in front of later ones.
# noticed by: a merge goes to the newest slot
/ring_merge_slot(struct ipc_ring/,/^}/s/ring_head(at) - 1/ring_tail(at)/
