# Bytes merge into slots that may not be added to.
# noticed by: nothing merges into a slot without the flag
s/if (!(slot->flags & IPC_SLOT_MERGE))/if (!slot->page)/
