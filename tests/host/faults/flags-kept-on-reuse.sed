# Publishing leaves the flags of the slot's last life (Dirty Pipe).
# noticed by: publish sets every member of a poisoned slot
s@slot->flags = flags;@slot->flags |= flags;@
